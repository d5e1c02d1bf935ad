// Gives the content of a step rich text. The text area stays what the form sends: the
// editor writes into it, and only what someone changed.
import { Editor } from "@tiptap/core";
import { canonical } from "./canonical.js";
import { extensions } from "./schema.js";
import { output } from "./output.js";
import { cleaned } from "./pasted.js";
import { tools } from "./tools.js";

// syncAfter is how long typing must pause before the text area follows, in ms.
const syncAfter = 150;

const imagesByAddress = "Images are shown from where they are in the web: put one there, and insert it here by its address, which begins with https://.";

// mount turns a field with a text area into an editor, and calls changed whenever the
// text area has a new value. Content that the editor would lose something of stays HTML.
export function mount(field, changed) {
  const area = field.querySelector("textarea");
  const label = field.querySelector("label");
  label.id ||= area.id + "-label";
  area.classList.add("source"); // from here on it is meant to be seen, if it is
  area.addEventListener("input", changed);
  new Rich(field, area, label, changed).open();
}

class Rich {
  constructor(field, area, label, changed) {
    Object.assign(this, { field, area, label, changed });
    field.sync = () => this.sync();
    label.addEventListener("click", () => this.editor?.commands.focus());
  }

  // open shows the editor in place of the text area, unless it would lose something.
  open(focus = false) {
    this.note?.remove();
    const html = this.area.value;
    this.frame = document.createElement("div");
    this.frame.className = "frame";
    const body = document.createElement("div");
    this.frame.append(body);
    this.editor = new Editor({
      element: body,
      extensions,
      content: html,
      injectCSS: false,
      enableContentCheck: false,
      editorProps: {
        attributes: { class: "tiptap prose", role: "textbox", "aria-multiline": "true", "aria-labelledby": this.label.id },
        transformPastedHTML: (html) => this.pasted(html),
        handlePaste: (_, event) => this.refuseFiles(event, event.clipboardData),
        handleDrop: (_, event) => this.refuseFiles(event, event.dataTransfer),
        handleTextInput: () => {
          this.tell("");
          return false;
        },
      },
      onUpdate: () => this.later(),
      onBlur: () => this.sync(),
    });
    this.written = output(this.editor);
    if (canonical(this.written) !== canonical(html)) {
      this.close();
      this.say("This step holds something that the editor does not know, so it is shown as HTML and stays as it is.");
      return;
    }
    this.frame.prepend(tools(this.editor, () => this.asHTML()));
    this.told = document.createElement("p");
    Object.assign(this.told, { className: "told small", role: "status" });
    this.frame.append(this.told);
    this.area.after(this.frame);
    this.area.hidden = true;
    if (focus) this.editor.commands.focus("start");
  }

  // pasted is what becomes of HTML that another program put on the clipboard.
  pasted(html) {
    const { html: clean, leftOut } = cleaned(html);
    this.tell(leftOut ? `${leftOut === 1 ? "An image was" : `${leftOut} images were`} left out. ${imagesByAddress}` : "");
    return clean;
  }

  // refuseFiles answers a picture that was pasted or dropped as a file, which a browser
  // would open in place of this page.
  refuseFiles(event, data) {
    if (!data?.files.length || data.types.includes("text/html")) return false;
    event.preventDefault();
    this.tell(imagesByAddress);
    return true;
  }

  // tell says something below the text until one types on.
  tell(sentence) {
    if (this.told.textContent !== sentence) this.told.textContent = sentence;
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.sync(), syncAfter);
  }

  // sync writes what was typed into the text area.
  sync() {
    clearTimeout(this.timer);
    if (!this.editor) return;
    const html = output(this.editor);
    if (html === this.written) return;
    this.written = html;
    this.area.value = html;
    this.changed();
  }

  // asHTML shows the source in place of the editor.
  asHTML() {
    this.sync();
    this.close();
    this.say("", "Back to rich text");
    this.area.focus();
  }

  close() {
    clearTimeout(this.timer);
    this.editor.destroy();
    this.editor = null;
    this.frame.remove();
    this.area.hidden = false;
  }

  // say puts a sentence below the text area, and a way back where there is one.
  say(sentence, back = "") {
    this.note = document.createElement("p");
    this.note.className = "muted small line";
    this.note.textContent = sentence;
    if (back) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn quiet";
      button.textContent = back;
      button.addEventListener("click", () => this.open(true));
      this.note.append(button);
    }
    this.area.after(this.note);
  }
}

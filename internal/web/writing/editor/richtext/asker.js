// Asks for the address of a link or an image, below the tools.
import { allowed } from "./schema.js";

const kinds = {
  link: {
    fields: [["Address", "https://…"]],
    read: (editor) => [editor.getAttributes("link").href ?? ""],
    apply: (chain, [href], editor) => editor.state.selection.empty && !editor.isActive("link")
      ? chain.insertContent({ type: "text", text: href.replace(/^mailto:/, ""), marks: [{ type: "link", attrs: { href } }] }) // nothing to link but itself
      : chain.extendMarkRange("link").setLink({ href }),
    remove: (chain) => chain.extendMarkRange("link").unsetLink(),
  },
  image: {
    fields: [["Address of the image", "https://…"], ["What it shows, for those who cannot see it", ""]],
    read: (editor) => [editor.getAttributes("image").src ?? "", editor.getAttributes("image").alt ?? ""],
    apply: (chain, [src, alt], editor) => editor.isActive("image") ? chain.updateAttributes("image", { src, alt }) : chain.setImage({ src, alt }),
    remove: (chain) => chain.deleteSelection(),
  },
};

// asker returns an element, hidden until toggle asks for a link or an image.
export function asker(editor) {
  const element = document.createElement("div");
  element.className = "asker";
  element.hidden = true;
  let open = "";

  const close = () => {
    open = "";
    element.hidden = true;
    element.replaceChildren();
  };

  const toggle = (kind) => {
    if (open === kind) {
      close();
      editor.commands.focus();
      return;
    }
    close();
    open = kind;
    const { fields, read, apply, remove } = kinds[kind];
    const present = read(editor);
    const inputs = fields.map(([label, placeholder], i) => {
      const field = document.createElement("label");
      const input = document.createElement("input");
      field.className = "field";
      Object.assign(input, { type: "text", placeholder, value: present[i], maxLength: 2000 });
      field.append(label, input);
      element.append(field);
      return input;
    });
    const problem = document.createElement("p");
    problem.className = "problem";
    problem.setAttribute("role", "alert");
    const done = () => {
      const values = inputs.map((input) => input.value.trim());
      values[0] = complete(values[0]);
      if (!allowed(values[0]) || (kind === "image" && !values[0].startsWith("https:"))) {
        problem.textContent = kind === "image" ? "This must be an address that begins with https://." : "This must be an address such as https://example.com or mailto:name@example.com.";
        element.append(problem);
        inputs[0].focus();
        element.scrollIntoView({ block: "nearest" });
        return;
      }
      apply(editor.chain().focus(), values, editor).run();
      close();
    };
    element.append(button(present[0] ? "Change" : "Insert", done));
    if (present[0]) {
      element.append(button("Remove", () => {
        remove(editor.chain().focus()).run();
        close();
      }));
    } else {
      element.append(button("Cancel", () => toggle(kind)));
    }
    element.hidden = false;
    element.onkeydown = (event) => {
      if (event.key === "Escape") toggle(kind);
      if (event.key === "Enter" && event.target.tagName === "INPUT") {
        event.preventDefault(); // it is not the form that is meant
        done();
      }
    };
    inputs[0].focus();
    element.scrollIntoView({ block: "nearest" });
  };
  return { element, toggle };
}

// complete makes an address of what people type: example.com, name@example.com.
function complete(text) {
  if (!text || /^[a-z][a-z0-9+.-]*:/i.test(text)) return text;
  return /^[^@/\s]+@[^@/\s]+$/.test(text) ? "mailto:" + text : "https://" + text;
}

function button(label, act) {
  const b = document.createElement("button");
  b.type = "button";
  b.className = "btn";
  b.textContent = label;
  b.addEventListener("click", act);
  return b;
}

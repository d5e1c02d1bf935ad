// What the page says: how saving stands, and what needs an answer.
const state = document.querySelector("#state");
const messages = document.querySelector("#messages");
const said = document.querySelector("#said");

// stand says how saving stands.
export function stand(sentence) {
  if (state.textContent !== sentence) state.textContent = sentence;
}

// say speaks to those who cannot see what happened.
export function say(sentence) {
  said.textContent = "";
  requestAnimationFrame(() => { said.textContent = sentence; });
}

// show puts a message on the page in place of the one of that name. An answer is a
// label with what it does, or an element.
export function show(name, sentence, kind = "", answers = []) {
  dismiss(name);
  const box = document.createElement("div");
  box.className = `notice ${kind}`;
  box.dataset.name = name;
  box.setAttribute("role", kind === "bad" ? "alert" : "status");
  const text = document.createElement("p");
  text.textContent = sentence;
  box.append(text);
  if (answers.length) {
    const line = document.createElement("div");
    line.className = "line";
    for (const answer of answers) line.append(answer instanceof Element ? answer : button(...answer));
    box.append(line);
  }
  messages.append(box);
}

export function dismiss(name) {
  messages.querySelector(`[data-name="${name}"]`)?.remove();
}

// clearFirst takes away what the server said when it sent the page.
export function clearFirst() {
  for (const box of messages.querySelectorAll(".notice:not([data-name])")) box.remove();
}

function button(label, act) {
  const b = document.createElement("button");
  b.type = "button";
  b.className = "btn";
  b.textContent = label;
  b.addEventListener("click", act);
  return b;
}

// What tests judge the HTML of pages with.
import { HtmlValidate, StaticConfigLoader } from "html-validate/browser";

const checker = new HtmlValidate(new StaticConfigLoader({
  root: true,
  extends: ["html-validate:standard", "html-validate:a11y", "html-validate:document"],
  rules: {
    "heading-level": "off", // authors choose theirs; axe judges the order
    "no-implicit-button-type": "off", // a button without a type submits, as HTML says
    "require-sri": "off", // scripts and styles are our own, from the same origin
  },
}));

window.validateHTML = async (text) => (await checker.validateString(text, "page")).results.flatMap((result) =>
  result.messages.map((m) => `${m.ruleId}: ${m.message} (line ${m.line}, ${m.selector ?? "at no element"})`));

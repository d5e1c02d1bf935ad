// What tests put into a page to have it checked for accessibility.
import axe from "axe-core/axe.min.js";

window.axe = axe;

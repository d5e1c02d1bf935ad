// What tests consume oEmbed with. It is given the address of a page, finds there where to
// ask how it is embedded, and asks.
import { extract } from "@extractus/oembed-extractor";

// home is the public URL, which no name server knows; this page is of the same server.
window.consumeOEmbed = async (address, params, home) => {
  try {
    return { answer: await extract(address, params, (at) => fetch(at.replace(home, location.origin))) };
  } catch (problem) {
    return { problem: problem.message };
  }
};

// Names of time zones to choose from, as far as this browser knows them, and its own
// as a proposal.
const list = document.querySelector("#zones");
for (const name of Intl.supportedValuesOf?.("timeZone") ?? []) list.append(new Option(name, name));
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (own) document.querySelector("#time_zone").placeholder = own;

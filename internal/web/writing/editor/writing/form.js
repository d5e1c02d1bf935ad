// What is typed in the form.
export const form = document.querySelector("#editor");
export const rows = form.querySelector("#rows");
export const isDraft = form.dataset.status === "draft";

export const part = (row, name) => row.querySelector(`[name="${name}"]`);

// typed reads the form. A slug that is being typed counts once it is left: every one
// that is stored would lead on to the next for ever.
export function typed() {
  for (const field of rows.querySelectorAll(".rich")) field.sync?.();
  const f = form.elements;
  return {
    version: Number(f.version.value),
    title: f.title.value,
    description: f.description.value,
    category: f.category.value,
    slug: document.activeElement === f.slug ? committed : f.slug.value.trim(),
    featured: f.featured.checked,
    steps: [...rows.children].map((row) => ({
      id: Number(part(row, "step_id").value),
      title: part(row, "step_title").value,
      content: part(row, "step_content").value,
    })),
  };
}

let committed = form.elements.slug.value;
form.elements.slug.addEventListener("change", commitSlug);

// commitSlug has the slug that is being typed count.
export function commitSlug() { committed = form.elements.slug.value.trim(); }

// slugIs shows the slug that was stored, unless another one is being typed.
export function slugIs(slug) {
  committed = slug;
  const field = form.elements.slug;
  if (document.activeElement !== field) field.value = slug;
}

// plain leaves out what the server puts into content by itself.
const plain = (html) => html.replaceAll(' rel="nofollow ugc noopener"', "");

// same reports whether two readings of the form say the same. New steps into which
// nothing was typed say nothing.
export function same(a, b) {
  const essence = (t) => JSON.stringify([
    t.title, t.description, t.category, t.slug, t.featured,
    t.steps.filter((s) => s.id || s.title.trim() || s.content).map((s) => [s.title, plain(s.content)]),
  ]);
  return essence(a) === essence(b);
}

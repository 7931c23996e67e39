/** Names under which the price of a model may be listed, the most exact first. */
export function modelNames(model: string): readonly string[] {
  // Gemini's OpenAI-compatible API says `models/gemini-…`.
  const name = model.startsWith('models/') ? model.slice('models/'.length) : model;
  const family = familyOf(name);
  return family === undefined ? [name] : [name, family];
}

/** Whether a provider that is asked for `asked` may serve the listed model `listed` in its name: the newest, or one of a date or number. */
export function isSnapshotOf(listed: string, asked: string): boolean {
  const name = asked.startsWith('models/') ? asked.slice('models/'.length) : asked;
  const family = name.endsWith('-latest') ? name.slice(0, -'-latest'.length) : name;
  return listed.startsWith(`${family}-`) && /^\d[\d-]*$/.test(listed.slice(family.length + 1));
}

/**
 * `gpt-4o-mini-2024-07-18`, `claude-sonnet-4-20250514` and `gemini-2.0-flash-001` are snapshots of their family, and
 * `-latest` is its newest: they cost the same unless listed by themselves. Shorter numbers (`gpt-4-0613`,
 * `mistral-large-2411`) tell generations apart whose prices differ; those are not taken off.
 */
function familyOf(name: string): string | undefined {
  const found = /^(.+?)-(?:\d{4}-\d{2}-\d{2}|20\d{6}|latest|0\d{2})$/.exec(name);
  return found?.[1];
}

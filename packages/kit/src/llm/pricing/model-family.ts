/** Names under which the price of a model may be listed, the most exact first. */
export function modelNames(model: string): readonly string[] {
  // Gemini's OpenAI-compatible API says `models/gemini-…`.
  const name = model.startsWith('models/') ? model.slice('models/'.length) : model;
  const family = familyOf(name);
  return family === undefined ? [name] : [name, family];
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

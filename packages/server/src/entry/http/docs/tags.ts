/** The groups that routes name in `schema.tags`, in the order in which the pages show them. */
export const apiTags = [
  { name: 'Models', description: 'Model calls, in the dialects of OpenAI and Anthropic.' },
  { name: 'Usage', description: 'What was called, by whom, and what it cost.' },
  { name: 'Keys', description: 'API keys: make, list, rotate, revoke.' },
  { name: 'Organizations', description: 'Tenants of the instance and their tiers; for its operator.' },
  { name: 'Bans', description: 'Addresses that are shut out; for the operator of the instance.' },
  { name: 'Alerts', description: 'What is wrong, who was told, and what is kept quiet; for the operator of the instance.' },
  { name: 'Limits', description: 'What is left of the limits on requests.' },
  { name: 'Health', description: 'Whether the server works.' },
  { name: 'Operations', description: 'For those who run the server.' },
];

/** The keys of a provider that is reached over HTTP, for the check of unknown ones and the reference. */
export const providerFields = Object.freeze({
  kind: { expected: 'a kind', defaultText: 'required', description: 'What it is; see the kinds below.' },
  baseUrl: {
    expected: 'an http or https URL, without credentials and query',
    defaultText: 'that of the kind',
    description: 'Address that the paths of the API are appended to, `/v1` included. Nothing but these addresses is ever called.',
  },
  apiKey: {
    expected: 'a text or a list of texts',
    defaultText: 'none',
    description: 'The key itself; several are used in turn. Rather use one of the two below, so that the file holds no secret.',
  },
  apiKeyFile: {
    expected: 'a path or a list of paths',
    defaultText: 'none',
    description: 'Files that hold one key each. Relative paths hang on the folder of the configuration file.',
  },
  traceContext: {
    expected: '`true` or `false`',
    defaultText: '`false`',
    description:
      'Whether it is told the trace and span of each request (`traceparent`), so that its own spans hang below ours. For servers of your own: to others it only tells which of your requests belong together.',
  },
  apiKeyEnv: {
    expected: 'a name or a list of names',
    defaultText: 'none',
    description: 'Variables of the environment that hold one key each, such as `PRIMARY_KEY` or `[KEY_A, KEY_B]`.',
  },
});

import type { FieldTable } from './row.ts';

const equals = (neutral: unknown) => (value: unknown) => value === neutral;
const isEmptyList = (value: unknown) => Array.isArray(value) && value.length === 0;

/** An Anthropic client (`/v1/messages`) whose model is at a provider that speaks OpenAI's Chat Completions. */
export const anthropicToOpenaiFields: FieldTable = {
  members: [
    { field: 'model', fate: 'carried', note: '`model`, as the provider knows it.' },
    { field: 'messages', fate: 'carried', note: '`messages`; see below.' },
    { field: 'system', fate: 'carried', note: 'A message of the role `system` at the start; several blocks as several parts.' },
    {
      field: 'max_tokens',
      fate: 'carried',
      note: '`max_completion_tokens` (in the library, `maxTokensField` names `max_tokens` for servers that know only that). 0 is refused: it warms a cache that is not there.',
    },
    { field: 'temperature', fate: 'carried', note: '`temperature`.' },
    { field: 'top_p', fate: 'carried', note: '`top_p`.' },
    { field: 'stop_sequences', fate: 'carried', note: '`stop`. More than four are refused, since OpenAI takes no more.' },
    { field: 'stream', fate: 'carried', note: '`stream`.' },
    {
      field: 'tools',
      fate: 'carried',
      note: "`tools`, those that the client runs. Anthropic's own (web search, code execution, computer, …) are refused.",
    },
    {
      field: 'tool_choice',
      fate: 'carried',
      note: '`auto`, `none`, `any` (as `required`), `tool` (as a function by name); `disable_parallel_tool_use` becomes `parallel_tool_calls: false`.',
    },
    {
      field: 'thinking',
      fate: 'carried',
      note: '`enabled` becomes `reasoning_effort` by its budget: `low` up to 4,096 tokens, `medium` up to 16,384, else `high`. `adaptive` and `between_tools` leave it to the model, `disabled` is left out, `display` is dropped.',
    },
    {
      field: 'output_config',
      fate: 'carried',
      note: '`effort` becomes `reasoning_effort` (and wins over `thinking`); `format` becomes `response_format` with a strict `json_schema`.',
    },
    { field: 'metadata', fate: 'carried', note: '`user_id` becomes `user`; longer than the 64 characters that OpenAI takes, its SHA-256.' },
    { field: 'service_tier', fate: 'carried', note: '`auto` is `auto`, `standard_only` is `default`.' },
    { field: 'cache_control', fate: 'dropped', note: "Concerns Anthropic's cache; OpenAI caches by itself." },
    { field: 'diagnostics', fate: 'dropped', note: "Concerns Anthropic's cache." },
    { field: 'top_k', fate: 'refused', note: 'No counterpart.' },
    { field: 'container', fate: 'refused', note: 'A container that Anthropic runs.' },
    { field: 'mcp_servers', fate: 'refused', note: 'Servers that Anthropic calls. An empty list asks for none.', neutral: isEmptyList },
    { field: 'context_management', fate: 'refused', note: 'An edit of the conversation that Anthropic does.' },
    { field: 'inference_geo', fate: 'refused', note: 'A promise on where data goes that cannot be kept elsewhere.' },
    { field: 'speed', fate: 'refused', note: 'No counterpart. `standard` is the default.', neutral: equals('standard') },
  ],
  nested: [
    { field: 'messages[].role: system', fate: 'carried', note: 'The role `system`, in its place.' },
    {
      field: 'messages[-1].role: assistant',
      fate: 'refused',
      note: 'OpenAI cannot go on in the middle of an answer (prefill); it would answer anew, and the two would not fit together.',
    },
    { field: 'messages[].content[].cache_control', fate: 'dropped', note: "Concerns Anthropic's cache. The same in `system` and `tools`." },
    {
      field: 'messages[].content[].tool_use',
      fate: 'carried',
      note: '`tool_calls`, behind the text of the message. Ids longer than the 40 characters that OpenAI takes are replaced by a hash of them, in calls and results alike.',
    },
    {
      field: 'messages[].content[].tool_result',
      fate: 'carried',
      note: 'A message of the role `tool` each, before what else the user says.',
    },
    {
      field: 'messages[].content[].tool_result.is_error',
      fate: 'carried',
      note: 'OpenAI has no such flag: the text begins with `Error: ` (unless it does so already).',
    },
    {
      field: 'messages[].content[].tool_result: image, document',
      fate: 'carried',
      note: 'A tool message holds text only: they follow in the user message after it, each behind a line that says whose result it is.',
    },
    {
      field: 'messages[].content[].image',
      fate: 'carried',
      note: '`image_url`: `base64` as a data URL, `url` as it is. A `file` is refused: it is at Anthropic.',
    },
    { field: 'messages[].content[].image.transformations', fate: 'dropped', note: 'OpenAI scales images as it sees fit.' },
    {
      field: 'messages[].content[].document',
      fate: 'carried',
      note: 'A PDF given as data becomes a `file` part; plain text and content blocks become text, behind title and context. A PDF by URL and a `file` are refused.',
    },
    { field: 'messages[].content[].document.citations', fate: 'refused', note: 'OpenAI cites nothing. Not enabled, it asks for nothing.' },
    { field: 'messages[].content[].search_result', fate: 'refused', note: 'Made to be cited. Send it as text.' },
    { field: 'messages[].content[].thinking', fate: 'dropped', note: 'Of no use to another model. The same for `redacted_thinking`.' },
    { field: 'messages[].content[].text.citations', fate: 'dropped', note: 'Citations of an earlier answer; the text stays.' },
    {
      field: 'messages[].content[].server_tool_use',
      fate: 'refused',
      note: 'A tool that Anthropic ran. The same for results of such tools and all other kinds of block.',
    },
    { field: 'tools[].strict', fate: 'carried', note: '`function.strict`.' },
    { field: 'tools[].name', fate: 'carried', note: '`function.name`. Longer than the 64 characters that OpenAI takes, it is refused.' },
    {
      field: 'tools[].input_examples',
      fate: 'dropped',
      note: 'A hint. The same for `eager_input_streaming`, `defer_loading` and `allowed_callers`.',
    },
  ],
  answer: [
    { field: 'id', fate: 'carried', note: '`id`, behind `msg_`.' },
    { field: 'choices[0].message.content', fate: 'carried', note: 'A `text` block.' },
    {
      field: 'choices[0].message.refusal',
      fate: 'carried',
      note: 'A `text` block, and `stop_details.explanation`; the `stop_reason` is `refusal`.',
    },
    {
      field: 'choices[0].message.tool_calls[]',
      fate: 'carried',
      note: '`tool_use` blocks. Arguments that are no JSON object end the call with `provider_malformed`, unless the answer was cut at `max_tokens`.',
    },
    {
      field: 'choices[0].message.reasoning_content',
      fate: 'dropped',
      note: "A `thinking` block without Anthropic's signature would make a later turn fail at Anthropic.",
    },
    {
      field: 'choices[0].finish_reason',
      fate: 'carried',
      note: '`stop_reason`: `stop` is `end_turn`, `length` is `max_tokens`, `tool_calls` (or `stop` with tool calls) is `tool_use`, `content_filter` is `refusal`. One that is not known is `max_tokens`, so that nobody takes a part for the whole.',
    },
    {
      field: 'usage',
      fate: 'carried',
      note: '`usage`; `input_tokens` leaves out `cache_read_input_tokens`, as Anthropic counts. In a stream it comes with the last event: `message_start` has zeros.',
    },
    { field: 'choices[0].message.annotations', fate: 'dropped', note: 'Citations of a search that this dialect cannot ask for.' },
  ],
};

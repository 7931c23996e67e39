/** What a client has of an answer, judged from its bytes alone, and as early as the most eager client would. */
export interface Judgement {
  whole: boolean;
  bytes: number;
  words: number;
  inOrder: boolean;
  promptTokens: number | null;
  completionTokens: number | null;
  errorEvent: boolean;
}

export interface AnswerJudge {
  readonly judgement: Judgement;
  push(bytes: Buffer): void;
}

const nothing = (): Judgement => ({
  whole: false,
  bytes: 0,
  words: 0,
  inOrder: true,
  promptTokens: null,
  completionTokens: null,
  errorEvent: false,
});

/** A plain answer is whole with the last byte that its length announced, whatever happens to the connection then. */
export function judgePlain(dialect: 'openai' | 'anthropic', length: number): AnswerJudge {
  const judgement = nothing();
  const parts: Buffer[] = [];
  return {
    judgement,
    push(bytes) {
      judgement.bytes += bytes.length;
      parts.push(bytes);
      if (judgement.bytes < length) return;
      const answer = JSON.parse(Buffer.concat(parts).toString('utf8')) as Fields;
      const read = dialect === 'openai' ? openaiAnswer(answer) : anthropicAnswer(answer);
      judgement.whole = read.finish !== null;
      readText(judgement, read.text);
      readUsage(judgement, dialect, answer['usage']);
    },
  };
}

/**
 * A stream is whole with the line that says that it is finished: clients go by that, not by the end mark that follows or the
 * blank line that closes the event.
 */
export function judgeStream(dialect: 'openai' | 'anthropic'): AnswerJudge {
  const judgement = nothing();
  let text = '';
  let rest = '';
  return {
    judgement,
    push(bytes) {
      judgement.bytes += bytes.length;
      const lines = (rest + bytes.toString('latin1')).split('\n');
      rest = lines.pop()!;
      for (const line of lines) {
        if (!line.startsWith('data: ') || line === 'data: [DONE]') continue;
        const event = JSON.parse(line.slice('data: '.length)) as Fields;
        const read = dialect === 'openai' ? openaiEvent(event) : anthropicEvent(event);
        text += read.text;
        judgement.whole ||= read.finish !== null;
        judgement.errorEvent ||= event['error'] !== undefined;
        readUsage(judgement, dialect, event['usage'] ?? (event['message'] as Fields | undefined)?.['usage']);
      }
      readText(judgement, text);
    },
  };
}

type Fields = Readonly<Record<string, unknown>>;

interface Piece {
  readonly text: string;
  readonly finish: string | null;
}

function openaiAnswer(answer: Fields): Piece {
  const [choice] = answer['choices'] as readonly { message: { content: string }; finish_reason: string | null }[];
  return { text: choice!.message.content, finish: choice!.finish_reason };
}

function anthropicAnswer(answer: Fields): Piece {
  const content = answer['content'] as readonly { text?: string }[];
  return { text: content.map((block) => block.text ?? '').join(''), finish: answer['stop_reason'] as string | null };
}

function openaiEvent(event: Fields): Piece {
  const choice = (event['choices'] as readonly { delta?: { content?: string | null }; finish_reason?: string | null }[] | undefined)?.[0];
  return { text: choice?.delta?.content ?? '', finish: choice?.finish_reason ?? null };
}

function anthropicEvent(event: Fields): Piece {
  const delta = event['delta'] as { text?: string; stop_reason?: string | null } | undefined;
  return { text: delta?.text ?? '', finish: delta?.stop_reason ?? null };
}

/** The upstream says `word0 word1 …`: whoever has the text knows how much of it there is and whether a piece is missing. */
function readText(judgement: Judgement, text: string): void {
  const words = text === '' ? [] : text.split(' ');
  judgement.words = words.length;
  judgement.inOrder = words.every((word, at) => word === `word${at}`);
}

function readUsage(judgement: Judgement, dialect: 'openai' | 'anthropic', usage: unknown): void {
  if (typeof usage !== 'object' || usage === null) return;
  const fields = usage as Fields;
  const [prompt, completion] = dialect === 'openai' ? ['prompt_tokens', 'completion_tokens'] : ['input_tokens', 'output_tokens'];
  if (typeof fields[prompt!] === 'number') judgement.promptTokens = fields[prompt!] as number;
  if (typeof fields[completion!] === 'number') judgement.completionTokens = fields[completion!] as number;
}

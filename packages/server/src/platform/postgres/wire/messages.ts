import { arrayLength, writeArray } from '../composite-writer.ts';

/*
 * What is sent: the few messages of the extended query protocol (https://www.postgresql.org/docs/current/protocol-message-formats.html)
 * that run a prepared statement whose parameters are all binary and whose rows, if it has any, nobody asked for.
 */

/** A statement by the name under which a connection prepares it. Names and texts are ours: ASCII, and no NUL. */
export interface WireStatement {
  readonly name: string;
  /** Says the types of its parameters by casts (`$1::type[]`), since no types are sent with it. */
  readonly text: string;
}

/** A parameter `$n::type[]`: one dimension, no nulls, of values that are in the binary format of the element's type. */
export interface ArrayParameter {
  readonly elementOid: number;
  readonly values: readonly Buffer[];
}

/** Execute of the unnamed portal without a limit of rows, then Sync, which commits and has the server say that it is ready. */
const executeAndSync = Buffer.from([0x45, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0x53, 0, 0, 0, 4]);
const binaryFormat = 1;

/**
 * The bytes of one execution, ready for one write: Bind, Execute and Sync, and in front of them Parse where the statement is not prepared.
 * `prepareAs` is the name that it is to have, '' for one that is gone with the next Parse.
 */
export function execution(
  statement: WireStatement,
  parameters: readonly ArrayParameter[],
  options: { readonly name: string; readonly parse: boolean },
): Buffer {
  const { name, parse } = options;
  const parseLength = parse ? 1 + 4 + name.length + 1 + statement.text.length + 1 + 2 : 0;
  let valuesLength = 0;
  for (const { values } of parameters) valuesLength += 4 + arrayLength(values);
  // Portal, statement, one format for all parameters, their number, the parameters, and no format for rows.
  const bindLength = 4 + 1 + name.length + 1 + 2 + 2 + 2 + valuesLength + 2;
  const bytes = Buffer.allocUnsafe(parseLength + 1 + bindLength + executeAndSync.length);
  let at = 0;
  if (parse) {
    bytes[at++] = 0x50;
    at = bytes.writeInt32BE(parseLength - 1, at);
    at = writeText(bytes, name, at);
    at = writeText(bytes, statement.text, at);
    at = bytes.writeInt16BE(0, at);
  }
  bytes[at++] = 0x42;
  at = bytes.writeInt32BE(bindLength, at);
  bytes[at++] = 0;
  at = writeText(bytes, name, at);
  at = bytes.writeInt16BE(1, at);
  at = bytes.writeInt16BE(binaryFormat, at);
  at = bytes.writeInt16BE(parameters.length, at);
  for (const { elementOid, values } of parameters) {
    at = bytes.writeInt32BE(arrayLength(values), at);
    at = writeArray(bytes, at, elementOid, values);
  }
  at = bytes.writeInt16BE(0, at);
  executeAndSync.copy(bytes, at);
  return bytes;
}

function writeText(bytes: Buffer, text: string, at: number): number {
  const end = at + bytes.write(text, at, 'latin1');
  bytes[end] = 0;
  return end + 1;
}

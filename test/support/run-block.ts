import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { CodeBlock } from './code-blocks.ts';
import { compileCache } from './compile-cache.ts';

const repository = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);

/** Address that stands in the documents, and that a reader's own server has. */
const documentedUrl = 'http://127.0.0.1:8080';

export interface BlockRunner {
  /** Type-checks all TypeScript blocks; resolves to what the compiler says, empty when it has nothing to say. */
  compile(): Promise<string>;
  /** Executes one block; resolves to what it printed, rejects with what it said when it fails. */
  run(block: CodeBlock, server: { readonly url: string; readonly key: string }): Promise<string>;
  clear(): void;
}

/** Writes the blocks where they find the packages that the documents name, each as a program of its own. */
export function createBlockRunner(blocks: readonly CodeBlock[]): BlockRunner {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-documents-'));
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'), 'junction');
  writeFileSync(join(folder, 'package.json'), '{"type":"module","private":true}');
  cpSync(join(repository, 'tsconfig.base.json'), join(folder, 'tsconfig.base.json'));
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: './tsconfig.base.json',
      compilerOptions: { moduleDetection: 'force', noUnusedLocals: false },
      include: ['as-written/*.ts'],
    }),
  );
  for (const name of ['as-written', 'at-work']) mkdirSync(join(folder, name));
  const fileOf = (block: CodeBlock) => `${block.document.replaceAll(/[^A-Za-z0-9]+/g, '-')}-${block.line}.${block.language}`;
  for (const block of blocks) writeFileSync(join(folder, 'as-written', fileOf(block)), block.code);

  return {
    async compile() {
      if (!blocks.some((block) => block.language === 'ts')) return '';
      const compiler = join(repository, 'node_modules/typescript/bin/tsc');
      return run(process.execPath, [compiler, '-p', folder], { cwd: folder }).then(
        ({ stdout }) => stdout,
        (error: { stdout: string; stderr: string }) => error.stdout + error.stderr,
      );
    },
    async run(block, { url, key }) {
      const file = join(folder, 'at-work', fileOf(block));
      const code = block.code.replaceAll(documentedUrl, url);
      // `--fail-with-body`: a curl line that is answered with an error has failed, although curl calls it a success.
      writeFileSync(
        file,
        block.language === 'bash'
          ? `set -euo pipefail\ncurl() { command curl --fail-with-body --silent --show-error "$@"; }\n${code}`
          : code,
      );
      const [command, args]: [string, string[]] =
        block.language === 'bash' ? ['bash', [file]] : [process.execPath, ['--conditions=dev-source', file]];
      try {
        const { stdout } = await run(command, args, {
          cwd: folder,
          timeout: 60_000,
          env: { PATH: process.env['PATH'], HOME: folder, HOLDFAST_API_KEY: key, ...compileCache },
        });
        return stdout;
      } catch (error) {
        const { stdout, stderr, message } = error as { stdout?: string; stderr?: string; message: string };
        throw new Error(`${block.document}:${block.line} fails: ${message}\n${stdout ?? ''}${stderr ?? ''}`, { cause: error });
      }
    },
    clear: () => rmSync(folder, { recursive: true, force: true }),
  };
}

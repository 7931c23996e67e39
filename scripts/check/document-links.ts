import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Workbench } from './workbench.ts';

/** Relative links of every Markdown file lead somewhere, with their `#sections`, and every page of docs/ is in the index. */
export function checkDocumentLinks({ root }: Workbench): string[] {
  const files = globSync('{*.md,docs/**/*.md,packages/*/*.md,packages/*/{src,docs}/**/*.md,{bench,deploy,examples,.changeset}/**/*.md}', {
    cwd: root,
    exclude: (name) => name === 'node_modules' || name === 'dist',
  });
  const index = readFileSync(join(root, 'docs/README.md'), 'utf8') + readFileSync(join(root, 'docs/decisions/README.md'), 'utf8');
  return files.flatMap((file) => {
    const problems: string[] = [];
    if (file.startsWith('docs/') && !index.includes(basename(file)))
      problems.push(`${file}: nobody finds it; link it in docs/README.md (decisions in docs/decisions/README.md)`);
    for (const link of linksOf(readFileSync(join(root, file), 'utf8'))) {
      if (/^[a-z]+:/.test(link)) continue;
      const [path = '', section] = link.split('#');
      const target = path === '' ? join(root, file) : resolve(root, dirname(file), decodeURI(path));
      if (!existsSync(target)) problems.push(`${file}: ${link} leads nowhere`);
      else if (section && target.endsWith('.md') && !sectionsOf(readFileSync(target, 'utf8')).has(section))
        problems.push(`${file}: there is no section #${section} in ${path || file}`);
    }
    return problems;
  });
}

function withoutCode(markdown: string): string {
  return markdown.replaceAll(/^(`{3,}).*?^\1\s*$/gms, '');
}

function linksOf(markdown: string): string[] {
  const text = withoutCode(markdown).replaceAll(/`[^`\n]*`/g, '');
  return [...text.matchAll(/\]\(<?([^()\s<>]+)>?(?:\s+"[^"]*")?\)/g)].map((match) => match[1]!);
}

/** Anchors as public forges make them of headings. */
function sectionsOf(markdown: string): Set<string> {
  const headings = [...withoutCode(markdown).matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)].map((match) => match[1]!);
  const anchors = headings.map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
  const explicit = [...markdown.matchAll(/<a (?:id|name)="([^"]+)"/g)].map((match) => match[1]!);
  return new Set([...anchors, ...explicit]);
}

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import { folderFaceAdvice, layerAdvice, layersThatJoinSeveral, reachesIntoFolder } from './folder-faces.ts';
import { importRules } from './import-rules.ts';
import { readUsingDeclarations } from './read-using.ts';

export interface ImportViolation {
  readonly rule: string;
  readonly from: string;
  readonly to: string;
  /** Why, and what to do instead. */
  readonly advice: string;
}

export interface ImportCheck {
  readonly violations: readonly ImportViolation[];
  /** How many imports were looked at; zero would mean that the parser is blind, not that all is well. */
  readonly importsSeen: number;
}

/** Judges all source, tests and scripts below `root` (an absolute path) by the import rules. */
export async function checkImports(root: string): Promise<ImportCheck> {
  const places = ['packages', 'scripts', 'test', 'bench', 'examples'].filter((place) => existsSync(join(root, place)));
  readUsingDeclarations();
  const { output } = await cruise(
    places,
    {
      baseDir: root,
      // TypeScript 7 has no JavaScript API; without another parser the files are skipped in silence.
      parser: 'swc',
      tsPreCompilationDeps: true,
      validate: true,
      ruleSet: { forbidden: importRules.map((rule) => ({ ...rule, severity: 'error' as const })) },
      doNotFollow: { path: 'node_modules' },
      exclude: { path: '(^|/)(dist|coverage)/|^bench/peers/|\\.d\\.ts$' },
      // Each package's own package.json decides what it may import.
      combinedDependencies: false,
    },
    {
      exportsFields: ['exports'],
      conditionNames: ['dev-source', 'import', 'node', 'types', 'default'],
      extensions: ['.ts', '.js', '.json', '.d.ts'],
    },
  );
  const { modules, summary } = output as ICruiseResult;
  const advice = new Map(importRules.map((rule) => [rule.name, rule.comment]));
  const imports = modules.flatMap((module) => module.dependencies.map((dependency) => ({ from: module.source, to: dependency.resolved })));
  return {
    importsSeen: imports.length,
    violations: [
      ...summary.violations.map((violation) => ({
        rule: violation.rule.name,
        from: violation.from,
        to: violation.cycle ? violation.cycle.map((step) => step.name).join(' → ') : violation.to,
        advice: advice.get(violation.rule.name) ?? '',
      })),
      ...imports.filter(reachesIntoFolder).map((found) => ({ rule: '2-folders-by-their-index', ...found, advice: folderFaceAdvice })),
      ...layersThatJoinSeveral(imports).map((found) => ({ rule: '3-layer-joins-one-module-with-spec', ...found, advice: layerAdvice })),
    ],
  };
}

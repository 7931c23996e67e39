import { relative } from 'node:path';
import { authorities, governedSource, type Authority } from './authorities.ts';

// oxlint loads this as a plugin. It must see which names are really the globals (a parameter called `setTimeout` is not),
// which is why it is a lint rule, with scopes, and not a search for words.

/** The little of an ESTree node that is looked at. */
interface Node {
  readonly type: string;
  readonly parent?: Node;
  readonly name?: string;
  readonly value?: unknown;
  readonly computed?: boolean;
  readonly object?: Node;
  readonly property?: Node;
  readonly callee?: Node;
  readonly init?: Node | null;
  readonly id?: Node;
  readonly key?: Node;
  readonly local?: Node;
  readonly imported?: Node;
  readonly source?: Node | null;
  readonly importKind?: string;
  readonly exportKind?: string;
  readonly arguments?: readonly Node[];
  readonly properties?: readonly Node[];
  readonly specifiers?: readonly Node[];
}
interface Variable {
  readonly name: string;
  readonly defs: readonly { readonly type: string; readonly node: Node; readonly parent: Node | null }[];
  readonly references: readonly { readonly identifier: Node }[];
}
interface Scope {
  readonly variables: readonly Variable[];
  readonly through: readonly { readonly identifier: Node }[];
}
interface Context {
  readonly cwd: string;
  readonly filename: string;
  readonly sourceCode: { readonly scopeManager: { readonly globalScope: Scope; readonly scopes: readonly Scope[] } };
  report(problem: { node: Node; message: string }): void;
}

/** Imports that are a global under another name. */
const globalsOfModules: readonly (readonly [imported: string, global: string])[] = [
  ['node:process', 'process'],
  ['node:perf_hooks.performance', 'performance'],
  ['node:crypto.webcrypto', 'crypto'],
];

const ambientAuthority = {
  create(context: Context) {
    const file = relative(context.cwd, context.filename).replaceAll('\\', '/');
    if (!governedSource.test(file)) return {};
    const governing = authorities.filter((authority) => !authority.allowedIn.test(file));
    const seen = new Set<Node>();
    const use = (node: Node, name: string): boolean => {
      const authority = governing.find((candidate) => candidate.names.has(name));
      if (authority) refuse(context, seen, node, name, authority);
      return authority !== undefined;
    };
    const useModule = (node: Node, module: string) => {
      const authority = governing.find((candidate) => candidate.modules.has(module));
      if (authority) refuse(context, seen, node, module, authority);
    };
    /** A module as a value: what is taken out of it cannot be followed, so one that has anything forbidden is forbidden. */
    const useWholeModule = (node: Node, source: Node) => {
      const module = canonicalModule(source);
      useModule(node, module);
      const authority = governing.find((candidate) => [...candidate.names].some((name) => name.startsWith(`${asGlobal(module)}.`)));
      if (authority) refuse(context, seen, node, module, authority);
    };
    return {
      'Program:exit'() {
        const { globalScope, scopes } = context.sourceCode.scopeManager;
        for (const { identifier } of globalScope.through) follow(identifier, identifier.name!, use);
        for (const variable of globalScope.variables) {
          if (variable.defs.length === 0) for (const { identifier } of variable.references) follow(identifier, variable.name, use);
        }
        for (const scope of scopes) {
          for (const variable of scope.variables) {
            const name = importedName(variable);
            if (name === undefined || use(variable.defs[0]!.node, name)) continue;
            for (const { identifier } of variable.references) follow(identifier, name, use);
          }
        }
      },
      ImportDeclaration(node: Node) {
        const typesOnly =
          node.importKind === 'type' ||
          (node.specifiers!.length > 0 && node.specifiers!.every((specifier) => specifier.importKind === 'type'));
        if (!typesOnly) useModule(node, canonicalModule(node.source!));
      },
      ImportExpression: (node: Node) => useWholeModule(node, node.source!),
      CallExpression(node: Node) {
        const { callee } = node;
        if (callee?.type !== 'MemberExpression' || callee.property?.name !== 'getBuiltinModule') return;
        useWholeModule(node, node.arguments![0]!);
      },
      ExportNamedDeclaration(node: Node) {
        if (!node.source || node.exportKind === 'type') return;
        useModule(node, canonicalModule(node.source));
        for (const specifier of node.specifiers ?? [])
          use(specifier, asGlobal(`${canonicalModule(node.source)}.${String(specifier.local?.name)}`));
      },
      ExportAllDeclaration(node: Node) {
        if (node.exportKind !== 'type') useModule(node, canonicalModule(node.source!));
      },
    };
  },
};

export default { meta: { name: 'holdfast' }, rules: { 'ambient-authority': ambientAuthority } };

/** From one mention of a global outwards along `.member`, `new …()`, `const { member } = …`, telling every name that it spells. */
function follow(start: Node, startName: string, use: (node: Node, name: string) => boolean): void {
  let node = start;
  let name = startName === 'globalThis' || startName === 'global' ? '' : startName;
  if (node.parent?.type.startsWith('TS') && !['TSAsExpression', 'TSNonNullExpression', 'TSSatisfiesExpression'].includes(node.parent.type))
    return;
  for (;;) {
    if (name !== '' && use(node, name)) return;
    const parent = node.parent;
    if (!parent) return;
    if (parent.type === 'MemberExpression' && parent.object === node) {
      const member = parent.computed ? parent.property!.value : parent.property!.name;
      if (typeof member !== 'string') return;
      name = name === '' ? member : `${name}.${member}`;
    } else if ((parent.type === 'NewExpression' || parent.type === 'CallExpression') && parent.callee === node) {
      if (parent.arguments!.length === 0) use(parent, parent.type === 'NewExpression' ? `new ${name}()` : `${name}()`);
      return;
    } else if (parent.type === 'VariableDeclarator' && parent.init === node && parent.id!.type === 'ObjectPattern') {
      for (const property of parent.id!.properties!) {
        if (property.key?.type === 'Identifier') use(property, name === '' ? property.key.name! : `${name}.${property.key.name}`);
      }
      return;
    } else if (
      !['ChainExpression', 'TSAsExpression', 'TSNonNullExpression', 'TSSatisfiesExpression', 'ParenthesizedExpression'].includes(
        parent.type,
      )
    ) {
      return;
    }
    node = parent;
  }
}

/** `node:crypto.randomBytes` for a named import, `node:crypto` for a default or namespace import; undefined for anything else and for types. */
function importedName(variable: Variable): string | undefined {
  const definition = variable.defs[0];
  if (definition?.type !== 'ImportBinding') return undefined;
  const declaration = definition.parent!;
  if (declaration.importKind === 'type' || definition.node.importKind === 'type') return undefined;
  const module = canonicalModule(declaration.source!);
  if (definition.node.type !== 'ImportSpecifier') return asGlobal(module);
  const imported = definition.node.imported!;
  return asGlobal(imported.name === 'default' ? module : `${module}.${imported.name ?? String(imported.value)}`);
}

function asGlobal(name: string): string {
  const known = globalsOfModules.find(([imported]) => name === imported || name.startsWith(`${imported}.`));
  return known ? known[1] + name.slice(known[0].length) : name;
}

const builtinsWithoutPrefix =
  /^(?:process|perf_hooks|crypto|timers|timers\/promises|console|http|https|http2|net|tls|dgram|dns|dns\/promises)$/;

function canonicalModule(source: Node): string {
  const module = String(source.value);
  return builtinsWithoutPrefix.test(module) ? `node:${module}` : module;
}

function refuse(context: Context, seen: Set<Node>, node: Node, name: string, authority: Authority): void {
  if (seen.has(node)) return;
  seen.add(node);
  context.report({ node, message: `${name} (${authority.name}) is not for this folder. ${authority.advice}` });
}

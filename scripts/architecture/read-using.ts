import { Visitor } from '@swc/core/Visitor.js';

// dependency-cruiser walks swc's trees with this visitor, which throws at `using` declarations: it was written before them.

interface UsingDeclaration {
  readonly type: 'UsingDeclaration';
  decls: unknown[];
}
interface Walker {
  visitStatement(statement: { readonly type: string }): unknown;
  visitPattern(pattern: { readonly type: string }): unknown;
  visitVariableDeclarators(declarators: unknown[]): unknown[];
}

/** Teaches that visitor `using` and `await using`, in blocks and in the head of a loop. Calling it again changes nothing. */
export function readUsingDeclarations(): void {
  const walker = Visitor.prototype as unknown as Walker & { readsUsing?: true };
  if (walker.readsUsing) return;
  const { visitStatement, visitPattern } = walker;
  const walk = (walking: Walker, declaration: UsingDeclaration) => {
    declaration.decls = walking.visitVariableDeclarators(declaration.decls);
    return declaration;
  };
  walker.visitStatement = function (this: Walker, statement) {
    return isUsing(statement) ? walk(this, statement) : visitStatement.call(this, statement);
  };
  walker.visitPattern = function (this: Walker, pattern) {
    return isUsing(pattern) ? walk(this, pattern) : visitPattern.call(this, pattern);
  };
  walker.readsUsing = true;
}

function isUsing(node: { readonly type: string }): node is UsingDeclaration {
  return node.type === 'UsingDeclaration';
}

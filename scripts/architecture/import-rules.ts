import type { DependencyType } from 'dependency-cruiser';

/** A forbidden import. Paths are regular expressions over paths in the repository; `$1` in `to` is a group of `from`. */
export interface ImportRule {
  readonly name: string;
  /** Why, and what to do instead. */
  readonly comment: string;
  readonly from: { readonly path: string; readonly pathNot?: string | string[] };
  readonly to: {
    readonly path?: string;
    readonly pathNot?: string | string[];
    readonly circular?: boolean;
    readonly couldNotResolve?: boolean;
    readonly dependencyTypes?: DependencyType[];
    readonly dependencyTypesNot?: DependencyType[];
  };
}

const kit = '^packages/kit/src/';
const server = '^packages/server/src/';
/** The composition root: app.ts and what it is cut into. */
const root = `${server}((app|main|serve)\\.ts$|composition/)`;
const tests = '\\.test\\.tsx?$';
/** Third-party code that talks to something outside of the process, or brings a framework along. */
const clients =
  '^node_modules/(pg|pg-[^/]+|kysely|redis|@redis/[^/]+|ioredis|undici|neo4j-driver|nodemailer|imapflow|@ai-sdk/[^/]+|prom-client|@opentelemetry/[^/]+|@sentry/[^/]+|pino|pg-boss|better-auth)/';
const httpFramework = '^node_modules/(fastify|@fastify/[^/]+)/|^(node:)?https?$';

/**
 * Rules 1 to 7 and 10 of the design's import rules (8 and 9 are the lint rule `holdfast/ambient-authority`). Paths are those of the
 * repository. `test/architecture.test.ts` plants a violation of each and sees it caught.
 */
export const importRules: readonly ImportRule[] = [
  // --- 1: which package may know which
  {
    name: '1-kit-stands-alone',
    comment:
      'The kit is a library of its own and imports nothing of the workspace. Move what both need into the kit, or hand it in as an option.',
    from: { path: kit },
    to: { path: '^packages/(?!kit/)' },
  },
  {
    name: '1-contracts-know-errors-only',
    comment: 'Contracts are loaded by browsers; of the workspace they may import @holdfast/kit/errors and nothing else.',
    from: { path: '^packages/contracts/src/' },
    to: { path: '^packages/(?!contracts/)', pathNot: '^packages/kit/src/errors/' },
  },
  {
    name: '1-server-knows-kit-and-contracts',
    comment: 'The server imports kit and contracts. The console is a client of it, never a part.',
    from: { path: server },
    to: { path: '^packages/(?!(server|kit|contracts)/)' },
  },
  {
    name: '1-console-knows-contracts',
    comment: 'The console runs in a browser: contracts and @holdfast/kit/audit/verify alone. Ask the server over HTTP for the rest.',
    from: { path: '^packages/console/src/' },
    to: { path: '^packages/(?!(console|contracts)/)', pathNot: '^packages/kit/src/audit/verify/' },
  },
  {
    name: '1-source-stays-in-packages',
    comment: 'What is published must not reach into scripts, tests, benchmarks or examples. Move the code into the package that needs it.',
    from: { path: '^packages/[^/]+/src/', pathNot: tests },
    to: { path: '^(scripts|test|bench|examples|docs|deploy)/' },
  },

  // --- 2: only through a package's exports (and only through the face of a folder: see folder-faces.ts)
  {
    name: '2-packages-by-their-exports',
    comment:
      "Across packages only through `exports`, by the package's name (@holdfast/kit/errors): a relative path leaves the package and breaks when it is published.",
    from: { path: '^packages/([^/]+)/' },
    to: { path: '^packages/(?!$1/)', dependencyTypes: ['local'] },
  },
  {
    name: '2-everything-resolves',
    comment:
      'This import leads nowhere. If it is a subpath of the workspace, add it to `exports` of its package.json (with the dev-source condition).',
    from: { path: '^(packages|scripts|test)/' },
    to: { couldNotResolve: true },
  },
  {
    name: '2-only-declared-packages',
    comment:
      'The package.json of this package does not name that dependency, so it is not there once published. Install it with `npm install -E -w`.',
    from: { path: '^packages/[^/]+/src/', pathNot: tests },
    // A peer that our own tests need is a development dependency as well.
    to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'], dependencyTypesNot: ['npm-peer'] },
  },

  // --- 3: the floors of the kit
  {
    name: '3-floor-0-is-the-ground',
    comment: 'errors, time and events are the words that everyone shares: they import only each other.',
    from: { path: `${kit}(errors|time|events)/`, pathNot: tests },
    to: { path: kit, pathNot: `${kit}(errors|time|events)/` },
  },
  {
    name: '3-floor-1-siblings-are-strangers',
    comment:
      'Modules of floor 1 never import each other, nor anything above: each must be usable alone. Join two of them in a layer of llm/layers or in fastify/.',
    from: { path: `${kit}(resilience|ratelimit|cache|privacy|security|audit|health)/`, pathNot: tests },
    to: { path: kit, pathNot: [`${kit}$1/`, `${kit}(errors|time|events)/`] },
  },
  {
    name: '3-llm-imports-downwards',
    comment:
      'llm stands on floor 0. Only a layer of llm/layers joins a module of floor 1 with a call; nothing in llm knows the floors above.',
    from: { path: `${kit}llm/`, pathNot: [tests, `${kit}llm/layers/`] },
    to: { path: kit, pathNot: `${kit}(errors|time|events|llm)/` },
  },
  {
    name: '3-spec-is-the-ground-of-llm',
    comment: 'llm/spec is the contract that providers and layers share: it imports none of them.',
    from: { path: `${kit}llm/spec/`, pathNot: tests },
    to: { path: `${kit}llm/(?!spec/)` },
  },
  {
    name: '3-only-composition-knows-layers',
    comment: 'A layer is put into the pipeline by whoever composes it. Nothing else in llm imports a layer.',
    from: { path: `${kit}llm/(?!layers/)`, pathNot: tests },
    to: { path: `${kit}llm/layers/` },
  },
  {
    name: '3-layer-joins-one-module-with-spec',
    comment:
      'A layer in llm/layers joins one module of floor 1 with llm/spec: it knows no transport, provider, price or other layer. Take those as options.',
    from: { path: `${kit}llm/layers/([^/]+)/`, pathNot: tests },
    to: {
      path: kit,
      pathNot: [
        `${kit}llm/spec/`,
        `${kit}llm/layers/$1/`,
        `${kit}(errors|time|events|resilience|ratelimit|cache|privacy|security|audit|health)/`,
      ],
    },
  },
  {
    name: '3-listeners-only-listen',
    comment:
      'telemetry and alerts listen to channels: of the kit they may import floor 0 and the channels and types of llm and floor 1, never the floor above.',
    from: { path: `${kit}(telemetry|alerts)/`, pathNot: tests },
    to: { path: `${kit}(fastify|testing|telemetry|alerts)/`, pathNot: `${kit}$1/` },
  },
  {
    name: '3-testing-is-a-side-door',
    comment: 'testing/ is for tests: no other source imports it, or it would be loaded in production.',
    from: { path: '^packages/[^/]+/src/', pathNot: [tests, `${kit}testing/`] },
    to: { path: `${kit}testing/` },
  },

  // --- 4: telemetry and alerts
  {
    name: '4-nobody-imports-telemetry',
    comment: 'Modules announce on typed channels of events/ and do not know who listens. Publish there; app.ts joins the listeners.',
    from: {
      path: '^packages/[^/]+/src/',
      pathNot: [tests, root, `${kit}fastify/`, `${kit}(telemetry|alerts)/`, `${server}features/alerts/`],
    },
    to: { path: `${kit}(telemetry|alerts)/` },
  },
  {
    name: '4-the-feature-of-alerts-listens',
    comment:
      'features/alerts is where the server keeps and shows its alerts: a listener itself, that knows the kit’s alerts, and no telemetry.',
    from: { path: `${server}features/alerts/`, pathNot: tests },
    to: { path: `${kit}telemetry/` },
  },

  // --- 5: third-party clients
  {
    name: '5-clients-stay-in-drivers',
    comment:
      'Third-party clients appear only in drivers, telemetry/, fastify/, stores and platform/, so that each can be replaced in one place. Put a port here and the client in a driver.',
    from: {
      path: '^packages/[^/]+/src/',
      pathNot: [
        tests,
        '/drivers/',
        `${kit}(telemetry|fastify|testing)/`,
        `${kit}llm/(transport|providers)/`,
        `${server}platform/`,
        '/store(\\.ts$|/)|-store\\.ts$',
        root,
      ],
    },
    to: { path: clients },
  },

  // --- 6: entry → features → model → platform
  {
    name: '6-platform-knows-no-feature',
    comment: 'platform/ is machinery that knows no feature: it imports nothing above it. Let the feature pass in what differs.',
    from: { path: `${server}platform/`, pathNot: tests },
    to: { path: server, pathNot: `${server}platform/` },
  },
  {
    name: '6-model-knows-no-feature',
    comment:
      'The call path in model/ is below features and entry. Declare a port in model/, implement it in the feature, and let app.ts join them.',
    from: { path: `${server}model/`, pathNot: tests },
    to: { path: server, pathNot: `${server}(model|platform)/` },
  },
  {
    name: '6-features-know-no-entry',
    comment:
      'Features are below entry/: doors open on rooms, rooms do not know the doors. Export routes or commands and let app.ts hand them to entry.',
    from: { path: `${server}features/`, pathNot: tests },
    to: { path: server, pathNot: `${server}(features|model|platform)/` },
  },
  {
    name: '6-nobody-imports-the-root',
    comment: 'app.ts, main.ts and composition/ join everything and are imported by nothing below them. Take what you need as an option.',
    from: { path: server, pathNot: [tests, root] },
    to: { path: root },
  },
  {
    name: '6-configuration-knows-nobody',
    comment:
      'config/ only reads, validates and freezes settings: it imports nothing of the server. Take what it needs to know as plain values.',
    from: { path: `${server}config/`, pathNot: tests },
    to: { path: server, pathNot: `${server}config/` },
  },

  // --- 7: features
  {
    name: '7-features-are-strangers',
    comment:
      'Feature → feature only along identity ← documents ← chat ← agents. Share through model/ or platform/, or declare a port and let app.ts join it.',
    from: { path: `${server}features/([^/]+)/`, pathNot: [tests, `${server}features/(documents|chat|agents)/`] },
    to: { path: `${server}features/(?!$1/)` },
  },
  {
    name: '7-documents-know-identity',
    comment: 'Feature → feature only along identity ← documents ← chat ← agents.',
    from: { path: `${server}features/documents/`, pathNot: tests },
    to: { path: `${server}features/(?!(documents|identity)/)` },
  },
  {
    name: '7-chat-knows-documents',
    comment: 'Feature → feature only along identity ← documents ← chat ← agents.',
    from: { path: `${server}features/chat/`, pathNot: tests },
    to: { path: `${server}features/(?!(chat|documents|identity)/)` },
  },
  {
    name: '7-agents-know-chat',
    comment: 'Feature → feature only along identity ← documents ← chat ← agents.',
    from: { path: `${server}features/agents/`, pathNot: tests },
    to: { path: `${server}features/(?!(agents|chat|documents|identity)/)` },
  },
  {
    name: '7-services-know-no-http',
    comment:
      'Services, stores, jobs and the call path know no HTTP, so that a command, a job and a route can share them. Keep the framework in routes and entry/http.',
    from: {
      path: `${server}(features|model|platform)/`,
      pathNot: [tests, `${server}features/[^/]+/[a-z-]*(routes|http)[a-z-]*(\\.ts$|/)`, `${server}features/(gateway|health)/`],
    },
    to: { path: httpFramework },
  },

  // --- 10: no cycles, no tests in the source
  {
    name: '10-no-cycles',
    comment:
      'These files import each other, types included: none can be understood or tested alone. Move what they share into a third file below both.',
    from: { path: '^packages/' },
    to: { circular: true },
  },
  {
    name: '10-source-never-imports-tests',
    comment: 'Source never imports tests: they are not published. Move the shared part into the source, or into kit/testing.',
    from: { path: '^packages/[^/]+/src/', pathNot: tests },
    to: { path: `${tests}|^packages/[^/]+/test/|^node_modules/(vitest|fast-check)/` },
  },
];

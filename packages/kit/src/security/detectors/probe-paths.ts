/** What scanners ask for, and people and programs do not. By segment of a path, in lower case. */
const probedSegments: ReadonlySet<string> = new Set([
  '.aws',
  '.bash_history',
  '.ds_store',
  '.git',
  '.gitlab-ci.yml',
  '.hg',
  '.htaccess',
  '.htpasswd',
  '.npmrc',
  '.ssh',
  '.svn',
  '.vscode',
  '_ignition',
  'actuator',
  'adminer',
  'autodiscover',
  'boaform',
  'cgi-bin',
  'credentials',
  'druid',
  'ecp',
  'geoserver',
  'goform',
  'hnap1',
  'id_rsa',
  'jenkins',
  'nacos',
  'owa',
  'phpinfo',
  'phpmyadmin',
  'phpunit',
  'server-status',
  'solr',
  'telescope',
  'vendor',
  'web-inf',
  'wlwmanifest.xml',
  'wordpress',
  'wp-admin',
  'wp-content',
  'wp-includes',
  'wp-json',
]);

const probedExtensions = /\.(?:asp|aspx|ashx|bak|cfm|cgi|do|env|ini|jsp|jspx|old|php\d?|sql|swp|tar|tgz|gz|rar|zip)$/;

/** What browsers, crawlers and probes of a platform ask for by themselves. */
const harmlessPaths: ReadonlySet<string> = new Set([
  '/',
  '/ads.txt',
  '/browserconfig.xml',
  '/favicon.ico',
  '/health',
  '/healthz',
  '/humans.txt',
  '/index.html',
  '/livez',
  '/manifest.json',
  '/metrics',
  '/ping',
  '/readyz',
  '/robots.txt',
  '/security.txt',
  '/site.webmanifest',
  '/sitemap.xml',
  '/status',
  '/version',
]);
const harmlessPrefixes = ['/.well-known/', '/apple-touch-icon', '/favicon-'] as const;

export type PathKind = 'probe' | 'harmless' | 'unknown';

const longestPath = 512;

/** Of a path without its query that no route knows. Percent signs are read first: scanners write them to be missed. */
export function classifyPath(raw: string): PathKind {
  const path = decoded(raw.length > longestPath ? raw.slice(0, longestPath) : raw).toLowerCase();
  for (const segment of path.split(/[/\\]/)) {
    if (probedSegments.has(segment) || segment === '..' || segment.startsWith('.env') || segment.startsWith('.git')) return 'probe';
  }
  if (probedExtensions.test(path)) return 'probe';
  return harmlessPaths.has(path) || harmlessPrefixes.some((prefix) => path.startsWith(prefix)) ? 'harmless' : 'unknown';
}

function decoded(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

import { buildPackages } from './build/build-packages.ts';

// `npm run build`: dist/ of every package that is published.
buildPackages(process.cwd());

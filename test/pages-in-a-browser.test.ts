import { chromium, type Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServer, type RunningServer } from '../packages/server/test/support/server.ts';
import { programPath } from '../scripts/test/programs.ts';
import { lacks } from './support/programs.ts';

describe.skipIf(lacks('chromium'))('pages of the API description, in a real browser', () => {
  let server: RunningServer;
  let browser: Browser;

  beforeAll(async () => {
    server = await startServer();
    // Root has no user namespace of its own to put the browser in; the pages come from this test alone.
    browser = await chromium.launch({ executablePath: programPath('chromium')!, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  test.each(['/docs', '/redoc'])('%s shows the routes, obeys its own content security policy, and asks nobody else', async (path) => {
    const page = await browser.newPage();
    const complaints: string[] = [];
    const elsewhere: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    // Requests, not answers: the policy would stop them before they are sent, and the page is not even to try.
    page.on('request', (request) => {
      if (!request.url().startsWith(`${server.url}/`) && !/^(data|blob):/.test(request.url())) elsewhere.push(request.url());
    });
    page.on('requestfailed', (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText}`));

    const response = await page.goto(server.url + path, { waitUntil: 'networkidle' });
    await page.getByText('/v1/chat/completions').first().waitFor();

    expect(response?.headers()['content-security-policy']).toContain("default-src 'none'");
    expect(complaints).toEqual([]);
    expect(elsewhere).toEqual([]);
    await page.close();
  });
});

import type { AuditReportBody } from '@holdfast/contracts';
import { expect, test } from 'vitest';
import { escapeHtml, reportPage, reportPagePolicy } from './report-page.ts';

const report = (value: string): AuditReportBody => ({
  report: 'access-review',
  title: `Access ${value}`,
  organization_id: value,
  from: '2026-08-22T00:00:00.000Z',
  to: '2026-11-20T00:00:00.000Z',
  generated_at: '2026-11-20T00:00:00.000Z',
  checkpoint: value,
  sections: [{ id: 'keys', title: value, text: value, columns: [{ id: 'name', title: value }], rows: [{ name: value }], more: true }],
});

test.each([
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</style><script>alert(1)</script>',
  '</pre></td><iframe src="https://evil.example">',
  '<!-- ',
  '&lt;script&gt;',
])('what somebody else wrote is text and nothing else: %s', (value) => {
  const page = reportPage(report(value));
  const tags = (html: string) => [...html.matchAll(/<[!/a-z][^>]*>/gi)].map(([tag]) => tag);
  expect(tags(page)).toEqual(tags(reportPage(report('harmless'))));
  expect(page.split(escapeHtml(value)).length - 1).toBe(8);
});

test('characters that turn text around or hide it are shown', () => {
  expect(escapeHtml('a\u202eb\u200bc\u0000d\u001be\nf')).toBe('a\ufffdb\ufffdc\ufffdd\ufffde\nf');
});

test('the page may load nothing, and its own style is the one that is allowed', async () => {
  expect(reportPagePolicy).toContain("default-src 'none'");
  expect(reportPagePolicy).not.toContain('unsafe');
  const style = /<style>([^]*?)<\/style>/.exec(reportPage(report('x')))![1]!;
  const hash = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(style))).toString('base64');
  expect(reportPagePolicy).toContain(`style-src 'sha256-${hash}'`);
});

test('says so when there is nothing, and when there was more', () => {
  expect(reportPage({ ...report('x'), checkpoint: null, sections: [{ ...report('x').sections[0]!, rows: [], more: false }] })).toContain(
    '<p>None.</p>',
  );
  expect(reportPage(report('x'))).toContain('more than a report holds');
});

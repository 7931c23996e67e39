import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerAuthentication, type SMTPServerOptions } from 'smtp-server';
import { describe, expect, onTestFinished, test } from 'vitest';
import { testDelivery } from '@holdfast/kit/alerts';
import { createEmailChannel, type EmailChannelOptions } from '@holdfast/kit/alerts/email';
import { selfSignedCertificate } from '../../../../test/support/self-signed-certificate.ts';

const localhostCertificate = selfSignedCertificate();

interface Mail {
  readonly secure: boolean;
  readonly from: string | undefined;
  readonly to: readonly string[];
  readonly text: string;
}

/** A real mail server, which keeps what it is given. */
async function startMailServer(options: SMTPServerOptions = {}) {
  const mails: Mail[] = [];
  const logins: SMTPServerAuthentication[] = [];
  const server = new SMTPServer({
    ...localhostCertificate,
    disableReverseLookup: true,
    authOptional: true,
    logger: false,
    onData(stream, session, done) {
      let text = '';
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          secure: session.secure,
          from: mailFrom === false ? undefined : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          text,
        });
        done();
      });
    },
    onAuth(auth, _session, done) {
      logins.push(auth);
      if (auth.username === 'alerts' && auth.password === 'correct horse') done(null, { user: 'alerts' });
      else done(new Error('535 wrong password: correct horse it is not'));
    },
    ...options,
  });
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { port: (server.server.address() as AddressInfo).port, mails, logins };
}

const delivery = testDelivery({
  id: '019a9c5a-7d40-7c3e-9e1f-4b5d2a6c8e11',
  channel: 'mail',
  deployment: 'production',
  nowMs: Date.UTC(2026, 10, 20),
});

async function send(port: number, options: Partial<EmailChannelOptions> = {}): Promise<unknown> {
  const channel = createEmailChannel({
    ...{
      name: 'mail',
      host: 'localhost',
      port,
      security: 'starttls',
      from: 'Holdfast <alerts@example.com>',
      to: ['ops@example.com', 'boss@example.com'],
    },
    ca: localhostCertificate.cert,
    ...options,
  });
  try {
    await channel.send(delivery, { signal: new AbortController().signal });
    return undefined;
  } catch (error) {
    return error;
  } finally {
    await channel.close?.();
  }
}

test('a mail arrives at all of its readers, in plain text, with the id of the delivery', async () => {
  const { port, mails } = await startMailServer();
  expect(await send(port)).toBeUndefined();
  const [{ text, ...envelope }] = mails as [Mail];
  expect(envelope).toEqual({ secure: true, from: 'alerts@example.com', to: ['ops@example.com', 'boss@example.com'] });
  expect(text).toMatch(/^Subject: \[TEST\] info: This is a test of the alert channels of Holdfast/m);
  expect(text).toContain('Message-ID: <019a9c5a-7d40-7c3e-9e1f-4b5d2a6c8e11@holdfast.invalid>');
  expect(text).toContain('References: <production-test@holdfast.invalid>');
  expect(text).toContain('Auto-Submitted: auto-generated');
  expect(text).toContain('Content-Type: text/plain');
  expect(text).toMatch(/^What to do:\r?$/m);
});

describe('what is said is encrypted', () => {
  test('after STARTTLS', async () => {
    const { port, mails } = await startMailServer();
    await send(port, { security: 'starttls' });
    expect(mails[0]?.secure).toBe(true);
  });

  test('from the first byte with TLS', async () => {
    const { port, mails } = await startMailServer({ secure: true });
    await send(port, { security: 'tls' });
    expect(mails[0]?.secure).toBe(true);
  });

  test('or nothing is said at all: a server without STARTTLS gets neither mail nor password', async () => {
    const { port, mails, logins } = await startMailServer({ hideSTARTTLS: true, disabledCommands: ['STARTTLS'] });
    const auth = { user: 'alerts', password: 'correct horse' };
    expect(await send(port, { security: 'starttls', auth })).toMatchObject({ code: 'alert_channel_refused' });
    expect([mails, logins]).toEqual([[], []]);
  });

  test('and not to a server whose certificate nobody vouches for', async () => {
    const { port, mails } = await startMailServer();
    const channel = createEmailChannel({
      ...{ name: 'mail', host: 'localhost', port, security: 'starttls', from: 'alerts@example.com', to: ['ops@example.com'] },
    });
    await expect(channel.send(delivery, { signal: new AbortController().signal })).rejects.toMatchObject({ code: 'alert_channel_failed' });
    await channel.close?.();
    expect(mails).toEqual([]);
  });

  test('but where it is switched off', async () => {
    const { port, mails } = await startMailServer();
    expect(await send(port, { security: 'none' })).toBeUndefined();
    expect(mails[0]?.secure).toBe(false);
  });
});

test('signs in, and is refused for good with a wrong password, which is in no error', async () => {
  const { port, mails, logins } = await startMailServer({ authOptional: false });
  expect(await send(port, { auth: { user: 'alerts', password: 'correct horse' } })).toBeUndefined();
  expect(mails).toHaveLength(1);
  const error = (await send(port, { auth: { user: 'alerts', password: 'wrong-password-1' } })) as Error;
  expect(error).toMatchObject({ code: 'alert_channel_refused', message: 'email: answered 535' });
  expect(`${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`).not.toMatch(/wrong-password|correct horse/);
  expect(logins).toHaveLength(2);
});

test.each([
  [550, 'alert_channel_refused'],
  [451, 'alert_channel_failed'],
])('a reader that is refused with %i is %s, without the address', async (responseCode, code) => {
  const { port } = await startMailServer({
    onRcptTo: ({ address }, _session, done) => done(Object.assign(new Error(`no ${address}`), { responseCode })),
  });
  const error = (await send(port)) as Error;
  expect(error).toMatchObject({ code, message: `email: answered ${responseCode}` });
  expect(String(error.stack)).not.toContain('ops@example.com');
});

test('a server that is not there may be tried again', async () => {
  expect(await send(9)).toMatchObject({ code: 'alert_channel_failed', message: expect.stringMatching(/^email: E/) });
});

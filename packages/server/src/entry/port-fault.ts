const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there',
  EACCES: 'this user may not listen there',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'there is no such host name',
};

/** What keeps a server from its address, in words; undefined when it is something else. */
export function portFaultReason(code: string | undefined): string | undefined {
  return reasons[code ?? ''];
}

// A reverse proxy that gives the dashboard another address: it takes a prefix away or adds one, and may ask under its own host.
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Proxy {
  /** `http://127.0.0.1:1234` */
  readonly origin: string;
  close(): Promise<void>;
}

/**
 * @param origin of the application
 * @param inside what its address is there, by the path outside
 * @param changesHost the application sees the host that it has itself, as nginx does it where nothing is set
 */
export async function startProxy(
  origin: string,
  inside: (path: string) => string,
  { changesHost = false }: { changesHost?: boolean } = {},
): Promise<Proxy> {
  const { port, host } = new URL(origin);
  const server = createServer((from, to) => {
    const headers = changesHost ? { ...from.headers, host } : from.headers;
    const path = inside(from.url ?? '/');
    const sent = request({ port, path, method: from.method, headers }, (answer) => {
      to.writeHead(answer.statusCode ?? 500, answer.headers);
      // What is live must not wait for more.
      to.flushHeaders();
      answer.pipe(to);
      to.on('close', () => answer.destroy());
    });
    sent.on('error', () => to.destroy());
    from.pipe(sent);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

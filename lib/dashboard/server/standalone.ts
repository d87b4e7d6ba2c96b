import { randomBytes, timingSafeEqual } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RqInspector } from '../../observe/index.js';
import { DashboardServer } from './dashboard-server.js';
import { setSafeHeaders } from './headers.js';
import { doorPage } from './page.js';
import { match } from './routes.js';
import { type DashboardSettings, readSettings } from './settings.js';

/**
 * The dashboard as a program of its own, for the person at this machine: it listens on the loopback address, is opened by
 * an address that works once, and answers nobody who calls it by another name.
 */
export async function serveDashboard(
  inspector: RqInspector,
  options: ServeOptions,
): Promise<ServedDashboard> {
  const { host = '127.0.0.1', port = 0, login, who, ...rest } = options;
  const settings = readSettings(rest, 'dashboard');
  const dashboard = new DashboardServer(inspector, settings);
  const doors = new Doors(login);
  const routes = DashboardServer.routes(settings.readOnly);
  const server = createServer((request, response) => {
    void answer(request, response);
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    setSafeHeaders(response);
    const { method = 'GET' } = request;
    const address = (request.url ?? '/').split('?', 1)[0]?.slice(1) ?? '';
    if (login === undefined && !isLoopback(request.headers.host)) {
      return end(response, 421, 'This dashboard is for this machine: open it by 127.0.0.1.');
    }
    const route = routes.find(
      ({ kind, path }) => method === (kind === 'act' ? 'POST' : 'GET') && match(path, address),
    );
    // The looks hold nothing of anybody, and the page at the door has them.
    if (route?.kind !== 'asset' && !doors.lets(request, response)) return;
    if (!route) return end(response, 404, 'There is nothing here.');
    const asker = { user: undefined, who, ip: request.socket.remoteAddress };
    const params = match(route.path, address) ?? {};
    return dashboard.handle(route, request, response, asker, { params, body: undefined });
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  const shown = host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${shown}:${bound}/${login === undefined ? `?key=${doors.key}` : ''}`,
    close: async () => {
      dashboard.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export interface ServeOptions extends DashboardSettings {
  /** Default 127.0.0.1; any other needs a login. */
  readonly host?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Name and password, for those who come from other machines. */
  readonly login?: { readonly user: string; readonly password: string } | undefined;
  /** How the audit names whoever is there. */
  readonly who: string;
}

export interface ServedDashboard {
  /** Opens it; works once, until somebody has used it. */
  readonly url: string;
  close(): Promise<void>;
}

/** Lets in whoever has used the address once (a cookie says so from then on), or knows the password. */
class Doors {
  readonly key = randomBytes(24).toString('base64url');
  readonly #session = randomBytes(24).toString('base64url');
  #isUsed = false;

  constructor(private readonly login: ServeOptions['login']) {}

  lets(request: IncomingMessage, response: ServerResponse): boolean {
    if (this.login) return this.knowsPassword(request, response, this.login);
    const cookies = String(request.headers.cookie ?? '').split(/;\s*/);
    if (cookies.some((cookie) => isSame(cookie, `rq_session=${this.#session}`))) return true;
    const [address = '', query] = (request.url ?? '').split('?', 2);
    const key = new URLSearchParams(query).get('key') ?? '';
    if (!this.#isUsed && isSame(key, this.key)) {
      this.#isUsed = true;
      const cookie = `rq_session=${this.#session}; HttpOnly; SameSite=Strict; Path=/`;
      response.setHeader('Set-Cookie', cookie);
      // Seen from the address itself: a proxy may have taken a prefix away.
      response.setHeader('Location', `./${address.slice(address.lastIndexOf('/') + 1)}`);
      end(response, 303, '');
      return false;
    }
    refuse(
      response,
      'Open the address that the command has printed',
      'It lets one browser in, once. If it has been used, start <code>npx nestjs-rq dashboard</code> anew.',
    );
    return false;
  }

  private knowsPassword(
    request: IncomingMessage,
    response: ServerResponse,
    { user, password }: { readonly user: string; readonly password: string },
  ): boolean {
    const given = /^Basic ([\w+/=]+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (isSame(Buffer.from(given, 'base64').toString(), `${user}:${password}`)) return true;
    response.setHeader('WWW-Authenticate', 'Basic realm="rq", charset="UTF-8"');
    refuse(
      response,
      'Who are you?',
      'Load this page anew, and give the name and the password of the login.',
    );
    return false;
  }
}

function refuse(response: ServerResponse, title: string, text: string): void {
  response.statusCode = 401;
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  response.end(doorPage(title, text));
}

function end(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.end(text);
}

/** A page of somebody else that has its name point to this machine does not get in. */
function isLoopback(host: string | undefined): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(host ?? '');
}

/** Takes as long whatever is given. */
function isSame(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { type RqInspector, VERSION } from '../../observe/index.js';
import type { BootAnswer } from './answers.js';
import { sendAsset } from './assets.js';
import { audited } from './audited.js';
import { type Call, Words } from './call.js';
import { exportJobs } from './export.js';
import { setSafeHeaders } from './headers.js';
import { Live } from './live.js';
import { baseOf, pageOf } from './page.js';
import { Refused, problemOf } from './problems.js';
import { liveAnswer } from './reads.js';
import { assertOwnPage, bodyOf } from './request-checks.js';
import { ROUTES, type Route } from './routes.js';
import type { ReadSettings } from './settings.js';
import { Streams } from './streams.js';
import { Viewer } from './viewer.js';

/** Who asks, as the host has found out. */
export interface Asker {
  readonly user: unknown;
  /** How the audit names them. */
  readonly who: string;
  readonly ip: string | undefined;
}

/** What the host has read of a request: frameworks take parameters and bodies apart themselves. */
export interface Given {
  readonly params: Readonly<Record<string, string>>;
  /** As the framework has parsed it; undefined: it is still to be read. */
  readonly body: unknown;
}

/**
 * The dashboard without a framework: a host (Nest's controller, or the program of the command line) finds the route, says
 * who asks, and hands over the raw request and response, so that nothing of the host's changes the answer.
 */
export class DashboardServer {
  readonly #live: Live;
  readonly #streams: Streams;

  constructor(
    private readonly inspector: RqInspector,
    private readonly settings: ReadSettings,
  ) {
    this.#live = new Live(inspector);
    this.#streams = new Streams(this.#live);
  }

  /** The routes that there are: read-only has none that change anything. */
  static routes(readOnly: boolean): readonly Route[] {
    return readOnly ? ROUTES.filter(({ kind }) => kind !== 'act') : ROUTES;
  }

  /** Answers a request; one for which there is no route, too. It never rejects. */
  async handle(
    route: Route | undefined,
    request: IncomingMessage,
    response: ServerResponse,
    asker: Asker,
    given: Given,
  ): Promise<void> {
    try {
      setSafeHeaders(response);
      if (!route) throw new Refused('missing', 'there is nothing here', 404);
      await this.answer(route, request, response, asker, given);
    } catch (error) {
      const { status, code, message } = problemOf(error);
      if (status === 500) this.settings.onError(error);
      if (response.headersSent) response.end();
      else if (route?.kind === 'page') sendText(response, status, message);
      else sendJson(response, status, { error: code, message });
    }
  }

  /** Ends the streams and reads nothing any more. */
  close(): void {
    this.#streams.close();
    this.#live.close();
  }

  /** How many look. */
  get viewers(): number {
    return this.#streams.size;
  }

  private async answer(
    route: Route,
    request: IncomingMessage,
    response: ServerResponse,
    asker: Asker,
    { params, body }: Given,
  ): Promise<void> {
    const { can, readOnly } = this.settings;
    const viewer = new Viewer(can, asker.user, asker.who, asker.ip, readOnly);
    const context = { inspector: this.inspector, live: this.#live, settings: this.settings };
    const query = Words.ofUrl(request.url ?? '');
    const call: Call = { request, response, viewer, params, query, body: new Words({}) };
    if (route.kind === 'asset') {
      const accepted = String(request.headers['accept-encoding'] ?? '');
      if (sendAsset(params['file'] ?? '', accepted, response)) return;
      throw new Refused('missing', 'there is no such file', 404);
    }
    if (route.kind === 'act') {
      assertOwnPage(request, this.settings.origins);
      const words = new Words(await bodyOf(request, body));
      const allowed = async () => {
        if (!route.late) await viewer.demand(route.needs, words.text('queue'));
      };
      const action = route.path.slice('api/'.length);
      const whole = { ...call, body: words };
      sendJson(response, 200, await audited(action, allowed, route.act, whole, context));
      return;
    }
    if (route.needs !== 'nothing') await viewer.demand(route.needs, query.text('queue'));
    if (route.kind === 'read') sendJson(response, 200, await route.read(call, context));
    else if (route.kind === 'live') await this.#streams.open(call);
    else if (route.kind === 'export') await exportJobs(call, context);
    else await this.sendPage(route, call, response);
  }

  private async sendPage(route: Route, call: Call, response: ServerResponse): Promise<void> {
    const { environment, readOnly, links } = this.settings;
    const { viewer, request } = call;
    const change = await this.#live.now();
    const boot: BootAnswer = {
      version: VERSION,
      environment: environment ?? null,
      readOnly,
      who: viewer.who,
      may: await viewer.all(),
      links: { trace: links.trace ?? null, logs: links.logs ?? null },
      live: await liveAnswer(change, call, this.#live),
    };
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    response.end(pageOf(boot, baseOf(route.path, request.url ?? '')));
  }
}

function sendJson(response: ServerResponse, status: number, answer: unknown): void {
  response.statusCode = status;
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.end(JSON.stringify(answer));
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.end(text);
}

// A real HTTP server on a free port of this machine that notes what it was asked, for tests of webhooks.
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from './wait.js';

export interface HeardRequest {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export class HttpServer {
  readonly heard: HeardRequest[] = [];
  /** What it answers; default: 200, and nothing else. */
  answer: (response: ServerResponse, request: HeardRequest) => void = (response) => response.end();
  private readonly server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const { method, url, headers } = request;
      const heard = { method, url, headers, body };
      this.heard.push(heard);
      this.answer(response, heard);
    });
  });

  /** @param host the address that it listens at */
  async start(host = '127.0.0.1'): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.server.on('error', reject).listen(0, host, resolve);
    });
    return this;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Waits until it was asked so often. */
  async requests(count: number): Promise<readonly HeardRequest[]> {
    await eventually(() => this.heard.length >= count, { what: `${count} request(s)` });
    return this.heard;
  }

  /** Forgets what it heard, and answers as at first. */
  reset(): void {
    this.heard.length = 0;
    this.answer = (response) => response.end();
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

import type { ServerResponse } from 'node:http';
import { brotliDecompressSync, gzipSync } from 'node:zlib';
import { BUILT, ENTRY } from './built-assets.js';

/** The page's program and looks. They travel inside the code, since a bundler finds no files. */

interface Asset {
  readonly type: string;
  readonly brotli: Buffer;
  gzip?: Buffer;
  plain?: Buffer;
}

const assets = new Map<string, Asset>(
  Object.entries(BUILT).map(([name, base64]) => [
    name,
    { type: typeOf(name), brotli: Buffer.from(base64, 'base64') },
  ]),
);

/** Names of the files that the page begins with. */
export const entry: { readonly script: string; readonly style: string; readonly icon: string } =
  ENTRY;

/** Answers with a file in the shortest form that the browser takes; false: there is none. */
export function sendAsset(name: string, accepted: string, response: ServerResponse): boolean {
  const asset = assets.get(name);
  if (!asset) return false;
  const [encoding, bytes] = formOf(asset, accepted);
  response.setHeader('Content-Type', asset.type);
  // The name changes with the content.
  response.setHeader('Cache-Control', 'public, max-age=31536000, immutable');
  response.setHeader('Vary', 'Accept-Encoding');
  if (encoding) response.setHeader('Content-Encoding', encoding);
  response.setHeader('Content-Length', bytes.length);
  response.end(bytes);
  return true;
}

function formOf(asset: Asset, accepted: string): [encoding: string | undefined, bytes: Buffer] {
  if (/\bbr\b/.test(accepted)) return ['br', asset.brotli];
  asset.plain ??= brotliDecompressSync(asset.brotli);
  if (!/\bgzip\b/.test(accepted)) return [undefined, asset.plain];
  asset.gzip ??= gzipSync(asset.plain);
  return ['gzip', asset.gzip];
}

function typeOf(name: string): string {
  if (name.endsWith('.js')) return 'text/javascript; charset=utf-8';
  return name.endsWith('.css') ? 'text/css; charset=utf-8' : 'image/svg+xml';
}

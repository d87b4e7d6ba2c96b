// A scene and a network in front of its Redis that may be slow or fail, made anew for each test.
import { afterEach, beforeEach } from '@jest/globals';
import { Scene } from './scene.js';
import { TcpProxy } from './tcp-proxy.js';

export interface ProxiedScene {
  readonly scene: Scene;
  readonly proxy: TcpProxy;
}

/** Opens one before each test and closes it afterwards. The members are usable inside tests and hooks. */
export function useProxiedScene(): ProxiedScene {
  const place: { -readonly [Member in keyof ProxiedScene]?: ProxiedScene[Member] } = {};

  beforeEach(async () => {
    place.scene = await Scene.open();
    place.proxy = await TcpProxy.start(place.scene.redis);
  });

  afterEach(async () => {
    await place.scene?.close();
    await place.proxy?.close();
  });

  return place as ProxiedScene;
}

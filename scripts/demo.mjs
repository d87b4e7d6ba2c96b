// `npm run demo`: the library at work, in under a minute, on a machine that has only Node. It runs the
// tour of sample/01-quickstart; `npm run demo -- --serve` then keeps the application running.
// Settings by environment: REDIS_URL, PORT (of --serve, 3000), MAIL_RETRY_INTERVAL (seconds, 6).
import { runSample } from './run-sample.mjs';

await runSample('01-quickstart', {
  purpose: 'the demo',
  args: process.argv.includes('--serve') ? ['--serve'] : [],
  // In a real project a mail is tried again after a minute: too long to watch.
  env: { MAIL_RETRY_INTERVAL: '6' },
});

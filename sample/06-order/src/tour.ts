// What `npm run sample -- 06-order` shows: an order that goes through, one whose card is refused at first, and one of which
// an article is sold out at first.
import { NestFactory } from '@nestjs/core';
import { setTimeout as pause } from 'node:timers/promises';
import { AppModule } from './app.module.js';
import { OrdersService } from './orders.service.js';

const app = await NestFactory.create(AppModule);
app.enableShutdownHooks();
await app.init();
const orders = app.get(OrdersService);

console.log('\n1. An order with a good card');
await orders.place({ id: 'order-1', articles: ['teapot', 'cup'], cents: 2500 }, 'good');
expect('sent', await orders.sent('order-1'), /^teapot and cup, label order-1, receipt of 25 EUR/);
expect('makes good', (await overFor('order-1')).makeGood, /^finished$/);

console.log('\n2. An order whose card has expired');
await orders.place({ id: 'order-2', articles: ['kettle'], cents: 4000 }, 'expired');
const refused = await overFor('order-2');
expect('charge', refused.charge, /^failed$/);
expect('dispatch', refused.dispatch, /^canceled$/);
expect('because', refused.reason ?? '', /order-2-charge/);
expect('still reserved', String(refused.reserved), /^0$/);

console.log('\n3. The customer gives another card: the payment is requeued');
await orders.payWith('order-2', 'good');
expect('sent', await orders.sent('order-2'), /^kettle, label order-2, receipt of 40 EUR/);
expect('still reserved', String((await orders.look('order-2')).reserved), /^1$/);

console.log('\n4. An order of which one article is sold out');
const articles = ['tea', 'sugar', 'samovar'];
await orders.place({ id: 'order-3', articles, cents: 9000 }, 'good');
const soldOut = await overFor('order-3');
const { finished, failed, total } = soldOut.articles;
expect('articles', `${finished} of ${total}, ${failed} failed`, /^2 of 3, 1 failed$/);
expect('pack', soldOut.pack, /^canceled$/);
expect('dispatch', soldOut.dispatch, /^canceled$/);

console.log('\n5. It is there again: that one job of the group is requeued');
await orders.restock('order-3', 'samovar');
expect('sent', await orders.sent('order-3'), /^tea and sugar and samovar, label order-3/);
expect('still reserved', String((await orders.look('order-3')).reserved), /^3$/);

await app.close();

/** The order as it stands when the job that waits for the end of all steps has run. */
async function overFor(order: string) {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const state = await orders.look(order);
    if (state.makeGood === 'finished') return state;
    if (Date.now() > deadline) throw new Error(`${order}: ${JSON.stringify(state)}`);
    await pause(50);
  }
}

function expect(what: string, found: string, expected: RegExp) {
  console.log(`    ${what}: ${found}`);
  if (expected.test(found)) return;
  console.error(`    This is not what was to be expected (${expected}): please report it.`);
  process.exitCode = 1;
}

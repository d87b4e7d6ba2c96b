// A child process for support.spec.ts: says its arguments, then repeats what it is told.
const words = process.argv.slice(2);
if (words.length === 0) {
  console.error('nothing to say');
  process.exit(1);
}
for (const said of words) process.send({ said });
process.on('message', (message) => process.send(message));

"""What the jobs of random graphs do when a Python worker runs them: the same as `act` of acting-worker.mjs."""

import json
import time

from rq import get_current_job


def act(data):
    job = get_current_job()
    connection = job.connection
    attempt = connection.incr(f'test:runs:{job.id}')

    def note(event, **details):
        entry = {'at': int(time.time() * 1000), 'worker': 'python', 'event': event, 'id': job.id, 'attempt': attempt}
        with open(connection.get('test:journal'), 'ab', buffering=0) as journal:
            journal.write(json.dumps({**entry, **details}).encode() + b'\n')

    note('run')
    time.sleep(data.get('takes', 0) / 1000)
    fails = attempt <= data.get('fails', 0)
    note('end', how='threw' if fails else 'returned')
    if fails:
        raise ValueError(f'declared failure of attempt {attempt}')
    return attempt

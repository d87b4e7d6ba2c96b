"""One Python with RQ loaded that runs the snippets of a test.

Reads one line of JSON per snippet, `{"code", "input"}`, runs the code as the body of a function with the names
below at hand, and answers with one line, `{"value"}` or `{"error"}`. Everything a snippet prints goes to stderr.
"""

import json
import os
import sys
import textwrap
import traceback
import warnings
from datetime import datetime, timedelta, timezone

import rq
from redis import Redis
from rq import Callback, Queue, Repeat, Retry, Worker
from rq.command import send_kill_horse_command, send_shutdown_command, send_stop_job_command
from rq.exceptions import InvalidJobOperation, NoSuchJobError
from rq.job import Job, JobStatus
from rq.registry import (
    CanceledJobRegistry,
    DeferredJobRegistry,
    FailedJobRegistry,
    FinishedJobRegistry,
    ScheduledJobRegistry,
    StartedJobRegistry,
    clean_registries,
)
from rq.results import Result
from rq.scheduler import RQScheduler
from rq.serializers import DefaultSerializer, JSONSerializer

warnings.simplefilter('ignore', DeprecationWarning)

connection = Redis.from_url(os.environ['INTEROP_REDIS_URL'])


def queue(name='shared', serializer=JSONSerializer, **options):
    return Queue(name, connection=connection, serializer=serializer, **options)


def fetch(job_id, serializer=JSONSerializer):
    return Job.fetch(job_id, connection=connection, serializer=serializer)


def registry(kind, name='shared'):
    """A registry that is read without being cleaned, unless the snippet asks for that."""
    classes = {
        'canceled': CanceledJobRegistry,
        'deferred': DeferredJobRegistry,
        'failed': FailedJobRegistry,
        'finished': FinishedJobRegistry,
        'scheduled': ScheduledJobRegistry,
        'started': StartedJobRegistry,
    }
    return classes[kind](name, connection=connection, serializer=JSONSerializer)


def plain(value):
    """JSON for a value that is none."""
    if isinstance(value, bytes):
        return value.decode('utf-8', 'backslashreplace')
    if isinstance(value, (set, tuple)):
        return list(value)
    return str(value)


def run(code, given):
    body = textwrap.indent(textwrap.dedent(code).strip() or 'pass', '    ')
    names = dict(globals())
    exec(f'def snippet(given):\n{body}\n', names)
    return names['snippet'](given)


def main():
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {'value': run(request['code'], request.get('input'))}
            text = json.dumps(answer, default=plain)
        except Exception:
            text = json.dumps({'error': traceback.format_exc()})
        answers.write(text + '\n')
        answers.flush()


if __name__ == '__main__':
    main()

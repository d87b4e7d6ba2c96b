"""What the jobs of the interoperability tests do on the Python side."""

import os
import time

from redis import Redis
from rq import Retry, get_current_job


def _redis():
    return Redis.from_url(os.environ['INTEROP_REDIS_URL'])


def add(a, b=0):
    """Adds, and counts how often it ran."""
    _redis().incr('test:ran:add')
    return a + b


def echo(*args, **kwargs):
    """What arrived, as it arrived."""
    return {'args': list(args), 'kwargs': kwargs}


def send_mail(to):
    return f'sent to {to}'


def nothing():
    return None


def fail(message='no luck'):
    raise ValueError(message)


def fail_n_times(times, counter):
    """Fails as often as asked, then returns how many runs it took. `counter` names the job's own counter."""
    runs = _redis().incr(f'test:runs:{counter}')
    _redis().rpush(f'test:times:{counter}', time.time())
    if runs <= times:
        raise ValueError(f'run {runs} fails')
    return runs


def retry_by_return(maximum, interval=0):
    """RQ's second mechanism: the function returns a Retry."""
    runs = _redis().incr('test:runs:retry_by_return')
    return f'done in run {runs}' if runs > maximum else Retry(max=maximum, interval=interval)


def sleep(seconds, counter='sleep'):
    _redis().incr(f'test:runs:{counter}')
    time.sleep(seconds)
    return seconds


def wait_for(key):
    """Runs until the key exists: the test decides when."""
    connection = _redis()
    connection.incr(f'test:runs:{key}')
    while not connection.exists(key):
        time.sleep(0.02)
    return 'released'


def note(value):
    """Appends the value to a list: shows what ran, and in which order."""
    _redis().rpush('test:noted', value)
    return value


def own_meta(changes=None):
    """The meta the job finds, after writing the changes to it."""
    job = get_current_job()
    found = dict(job.meta)
    if changes:
        job.meta.update(changes)
        job.save_meta()
    return found


def own_job():
    """What a running job sees of itself."""
    job = get_current_job()
    return {
        'id': job.id,
        'origin': job.origin,
        'description': job.description,
        'timeout': job.timeout,
        'result_ttl': job.result_ttl,
        'failure_ttl': job.failure_ttl,
        'ttl': job.ttl,
        'retries_left': job.retries_left,
        'retry_intervals': job.retry_intervals,
        'meta': job.meta,
    }


def of_parent():
    """What a child finds of the job that it waited for."""
    parent = get_current_job().dependency
    return {'status': parent.get_status().value, 'value': parent.return_value()}


def not_json():
    return object()


def not_a_number():
    return {'nan': float('nan'), 'inf': float('inf'), 'large': 2**63}


def note_failure(job, connection, *_exc_info):
    """A failure callback."""
    connection.incr(f'test:failed:{job.id}')


def on_success(job, connection, result):
    connection.rpush('test:callbacks', f'success {job.id} {result}')


def on_failure(job, connection, kind, value, *_traceback):
    connection.rpush('test:callbacks', f'failure {job.id} {kind.__name__}: {value}')


def on_stopped(job, connection):
    connection.rpush('test:callbacks', f'stopped {job.id}')

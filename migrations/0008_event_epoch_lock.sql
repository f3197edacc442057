-- Writers wait behind whoever waits for the lock: rather try again a second later.
ALTER FUNCTION begin_event_epoch() SET lock_timeout = '500ms';

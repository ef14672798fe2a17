-- The rows of one account. Columns are the fields of the row classes; amounts and times are exact,
-- documents are kept as they were written (json, not jsonb).

CREATE DOMAIN word AS text COLLATE "C";
CREATE DOMAIN amount AS numeric CHECK (VALUE > '-Infinity' AND VALUE < 'Infinity');

-- Who owns the account, and how far it has come. Every flush begins here.
CREATE TABLE head (
    id integer PRIMARY KEY CHECK (id = 1),
    account word NOT NULL,
    owner word NOT NULL,
    url word NOT NULL,
    epoch bigint NOT NULL,
    expires_at timestamptz NOT NULL,
    flush_no bigint NOT NULL,
    event_no bigint NOT NULL
);
INSERT INTO head VALUES (1, '', '', '', 0, '0001-01-01T00:00:00Z', 0, 0);

-- Apart from the head row: who halts waits for no flush.
CREATE TABLE states_version (
    id integer PRIMARY KEY CHECK (id = 1),
    version bigint NOT NULL
);
INSERT INTO states_version VALUES (1, 0);

CREATE TABLE instruments (
    row_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    category word NOT NULL CHECK (category IN ('linear', 'inverse', 'spot')),
    symbol word NOT NULL,
    base_coin word NOT NULL,
    quote_coin word NOT NULL,
    settle_coin word NOT NULL,
    tick_size amount NOT NULL,
    quantity_step amount NOT NULL,
    min_quantity amount NOT NULL,
    max_quantity amount NOT NULL,
    max_market_quantity amount NOT NULL,
    min_notional amount NOT NULL,
    max_price amount NOT NULL,
    status word NOT NULL CHECK (status IN ('Trading', 'PreLaunch', 'Delivering', 'Closed')),
    initial_margin_rate amount NOT NULL,
    taker_fee_rate amount NOT NULL,
    maker_fee_rate amount NOT NULL,
    instrument_id word NOT NULL,
    UNIQUE (instrument_id)
);

CREATE TABLE signals (
    row_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    signal_id word NOT NULL,
    strategy_id word NOT NULL,
    instrument_id word NOT NULL,
    side word NOT NULL CHECK (side IN ('Buy', 'Sell')),
    amount amount NOT NULL,
    confidence amount NOT NULL,
    timestamp timestamptz NOT NULL,
    intent word NOT NULL CHECK (intent IN ('open', 'close')),
    snapshot_price amount,
    snapshot_spread amount,
    snapshot_volume_24h amount,
    snapshot_volatility amount,
    urgent boolean NOT NULL,
    is_warmup boolean NOT NULL,
    model_version word,
    trace_id word NOT NULL,
    body_hash word NOT NULL,
    body word NOT NULL,
    generation bigint NOT NULL,
    delivery bigint NOT NULL,
    received_at timestamptz NOT NULL,
    verdict word NOT NULL CHECK (verdict IN (
        'ordered', 'denied', 'duplicate', 'invalid', 'expired', 'parked'
    )),
    code word NOT NULL,
    decided_at timestamptz,
    deadline timestamptz,
    trace json NOT NULL,
    quote json,
    order_ids json NOT NULL,
    symbol word GENERATED ALWAYS AS (substr(instrument_id, strpos(instrument_id, ':') + 1)) STORED,
    UNIQUE (signal_id, generation)
);

CREATE TABLE deliveries (
    number bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    verdict word NOT NULL CHECK (verdict IN (
        'ordered', 'denied', 'duplicate', 'invalid', 'expired', 'parked'
    )),
    code word NOT NULL,
    signal_id word NOT NULL,
    field word NOT NULL,
    rule word NOT NULL,
    value word NOT NULL,
    body word NOT NULL
);

CREATE TABLE orders (
    row_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    client_order_id word NOT NULL,
    instrument_id word NOT NULL,
    side word NOT NULL CHECK (side IN ('Buy', 'Sell')),
    order_type word NOT NULL CHECK (order_type IN ('Market', 'Limit')),
    time_in_force word NOT NULL CHECK (time_in_force IN ('GTC', 'IOC', 'FOK', 'PostOnly')),
    origin word NOT NULL CHECK (origin IN ('signal', 'manual', 'flatten', 'external')),
    signal_id word NOT NULL,
    strategy_id word NOT NULL,
    trace_id word NOT NULL,
    requested_quantity amount NOT NULL,
    created_at timestamptz NOT NULL,
    valid_until timestamptz NOT NULL,
    position_side word NOT NULL CHECK (position_side IN ('Both', 'Long', 'Short')),
    reduce_only boolean NOT NULL,
    leg bigint NOT NULL,
    legs bigint NOT NULL,
    generation bigint NOT NULL,
    requote_of word,
    replaces json NOT NULL,
    follows word,
    decision_bid amount,
    decision_ask amount,
    decision_quote_at timestamptz,
    slippage amount,
    take_profit amount,
    stop_loss amount,
    status word NOT NULL CHECK (status IN (
        'DENIED', 'INTENT', 'SUBMITTING', 'UNKNOWN', 'ACKED', 'WORKING', 'PARTIALLY_FILLED',
        'FILLED', 'CANCELLED', 'REJECTED', 'EXPIRED'
    )),
    quantity amount NOT NULL,
    price amount,
    updated_at timestamptz NOT NULL,
    ended_by word NOT NULL CHECK (ended_by IN ('', 'report', 'answer', 'us')),
    version bigint NOT NULL,
    cum_quantity amount NOT NULL,
    cum_value amount NOT NULL,
    fees json NOT NULL,
    reported_cum amount NOT NULL,
    reported_status word CHECK (reported_status IN (
        'New', 'PartiallyFilled', 'Filled', 'Cancelled', 'PartiallyFilledCanceled',
        'Rejected', 'Untriggered', 'Triggered', 'Deactivated'
    )),
    venue_order_id word NOT NULL,
    attempt bigint NOT NULL,
    request_ts timestamptz,
    first_working_at timestamptz,
    venue_updated_at timestamptz,
    cancel_reason word NOT NULL,
    code word NOT NULL,
    text word NOT NULL,
    not_before timestamptz,
    executed_at timestamptz,
    closed_at timestamptz,
    symbol word GENERATED ALWAYS AS (substr(instrument_id, strpos(instrument_id, ':') + 1)) STORED,
    UNIQUE (client_order_id),
    CHECK (client_order_id <> ''),
    CHECK (version >= 1),
    CHECK (quantity >= 0),
    CHECK (cum_quantity >= 0)
);

CREATE TABLE commands (
    row_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    client_order_id word NOT NULL,
    kind word NOT NULL CHECK (kind IN ('create', 'amend', 'cancel')),
    number bigint NOT NULL,
    status word NOT NULL CHECK (status IN ('PENDING', 'SENT', 'DONE', 'REFUSED', 'UNKNOWN')),
    reason word NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    valid_until timestamptz,
    attempt bigint NOT NULL,
    request_ts timestamptz,
    not_before timestamptz,
    price amount,
    quantity amount,
    code word NOT NULL,
    request_id word NOT NULL,
    UNIQUE (client_order_id, kind, number)
);

CREATE TABLE executions (
    number bigint PRIMARY KEY,
    exec_id word NOT NULL,
    instrument_id word NOT NULL,
    client_order_id word NOT NULL,
    venue_order_id word NOT NULL,
    side word NOT NULL CHECK (side IN ('Buy', 'Sell')),
    price amount NOT NULL,
    quantity amount NOT NULL,
    fee amount NOT NULL,
    fee_coin word NOT NULL,
    executed_at timestamptz NOT NULL,
    kind word NOT NULL CHECK (kind IN (
        'Trade', 'Funding', 'AdlTrade', 'BustTrade', 'Settle', 'Opening'
    )),
    is_maker boolean NOT NULL,
    position_side word NOT NULL CHECK (position_side IN ('Both', 'Long', 'Short')),
    sequence bigint NOT NULL,
    strategy_id word NOT NULL,
    realized_pnl amount NOT NULL,
    booked_at timestamptz NOT NULL,
    symbol word GENERATED ALWAYS AS (substr(instrument_id, strpos(instrument_id, ':') + 1)) STORED,
    UNIQUE (instrument_id, exec_id),
    CHECK (number >= 1),
    CHECK (exec_id <> ''),
    CHECK (quantity >= 0)
);

CREATE TABLE positions (
    row_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instrument_id word NOT NULL,
    position_side word NOT NULL CHECK (position_side IN ('Both', 'Long', 'Short')),
    size amount NOT NULL,
    entry_value amount NOT NULL,
    realized_pnl amount NOT NULL,
    fees json NOT NULL,
    funding amount NOT NULL,
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL,
    opened_at timestamptz,
    symbol word GENERATED ALWAYS AS (substr(instrument_id, strpos(instrument_id, ':') + 1)) STORED,
    UNIQUE (instrument_id, position_side)
);

CREATE TABLE position_snapshots (
    row_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instrument_id word NOT NULL,
    position_side word NOT NULL CHECK (position_side IN ('Both', 'Long', 'Short')),
    at timestamptz NOT NULL,
    size amount NOT NULL,
    entry_value amount NOT NULL,
    realized_pnl amount NOT NULL,
    unrealized_pnl amount,
    mark amount,
    UNIQUE (instrument_id, position_side, at)
);

CREATE TABLE balances (
    row_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    coin word NOT NULL,
    wallet amount NOT NULL,
    available amount NOT NULL,
    equity amount NOT NULL,
    as_of timestamptz NOT NULL,
    UNIQUE (coin)
);

CREATE TABLE trading_states (
    row_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scope word NOT NULL,
    cause word NOT NULL,
    state word NOT NULL CHECK (state IN ('ACTIVE', 'REDUCE_ONLY', 'CANCEL_ONLY', 'HALTED')),
    version bigint NOT NULL,
    reason word NOT NULL,
    actor word NOT NULL,
    at timestamptz NOT NULL,
    UNIQUE (scope, cause)
);

CREATE TABLE marks (
    row_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name word NOT NULL,
    at timestamptz,
    number bigint NOT NULL,
    text word NOT NULL,
    UNIQUE (name)
);

CREATE TABLE requests (
    row_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id word NOT NULL,
    kind word NOT NULL,
    body_hash word NOT NULL,
    actor word NOT NULL,
    at timestamptz NOT NULL,
    code word NOT NULL,
    result json NOT NULL,
    UNIQUE (request_id)
);

CREATE TABLE events (
    number bigint PRIMARY KEY,
    kind word NOT NULL CHECK (kind IN (
        'order_denied', 'order_created', 'order_submitted', 'order_accepted', 'order_working',
        'order_partially_filled', 'order_filled', 'order_cancelled', 'order_rejected',
        'order_expired', 'order_unknown', 'order_retried', 'order_resized', 'order_amended',
        'order_revived', 'order_adopted', 'order_reported', 'cancel_requested',
        'cancel_refused', 'amend_requested', 'amend_refused', 'late_fill', 'signal_invalid',
        'signal_conflict', 'signal_parked', 'signal_denied', 'execution_booked',
        'position_snapshot', 'position_validated', 'position_mismatch', 'loss_warning',
        'trading_state_changed', 'alarm'
    )),
    at timestamptz NOT NULL,
    subject word NOT NULL,
    sequence bigint NOT NULL,
    order_version json,
    ledger_entry json,
    code word NOT NULL,
    text word NOT NULL,
    detail json NOT NULL,
    CHECK (number >= 1),
    CHECK (sequence >= 1)
);

CREATE INDEX signals_decided ON signals (decided_at);
CREATE INDEX signals_waiting ON signals (row_no) WHERE decided_at IS NULL;
CREATE INDEX signals_delivery ON signals (delivery);
CREATE INDEX signals_newest ON signals (strategy_id, instrument_id, timestamp DESC, row_no)
    WHERE decided_at IS NOT NULL;
CREATE INDEX orders_open ON orders (row_no)
    WHERE status NOT IN ('DENIED', 'FILLED', 'CANCELLED', 'REJECTED', 'EXPIRED')
    OR reported_cum > cum_quantity;
CREATE INDEX orders_closed ON orders (coalesce(closed_at, updated_at));
CREATE INDEX orders_created ON orders (created_at);
CREATE INDEX orders_signal ON orders (signal_id);
CREATE INDEX orders_venue ON orders (venue_order_id) WHERE venue_order_id <> '';
CREATE INDEX commands_open ON commands (client_order_id)
    WHERE status IN ('PENDING', 'SENT', 'UNKNOWN');
CREATE INDEX executions_order ON executions (client_order_id);
CREATE INDEX snapshots_at ON position_snapshots (at);
CREATE INDEX requests_at ON requests (at);
CREATE UNIQUE INDEX order_events ON events (subject, sequence) WHERE order_version IS NOT NULL;

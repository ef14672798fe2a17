"""The neighbours' tables, made as they make them: columns, checks, keys."""

ORDERS = """
CREATE TABLE {schema}.orders (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    order_id varchar(100) NOT NULL UNIQUE,
    signal_id uuid NOT NULL,
    asset varchar(20) NOT NULL,
    side varchar(10) NOT NULL CONSTRAINT chk_side CHECK (side IN ('Buy', 'SELL')),
    order_type varchar(20) NOT NULL
        CONSTRAINT chk_order_type CHECK (order_type IN ('Market', 'Limit')),
    quantity decimal(20, 8) NOT NULL CHECK (quantity > 0),
    price decimal(20, 8),
    status varchar(50) NOT NULL DEFAULT 'pending' CONSTRAINT chk_status CHECK (status IN
        ('pending', 'partially_filled', 'filled', 'cancelled', 'rejected', 'dry_run')),
    filled_quantity decimal(20, 8) NOT NULL DEFAULT 0,
    average_price decimal(20, 8),
    fees decimal(20, 8),
    created_at timestamp NOT NULL DEFAULT now(),
    updated_at timestamp NOT NULL DEFAULT now(),
    executed_at timestamp,
    trace_id varchar(100),
    is_dry_run boolean NOT NULL DEFAULT false,
    rejection_reason text,
    CONSTRAINT chk_filled CHECK (filled_quantity >= 0 AND filled_quantity <= quantity),
    CONSTRAINT chk_limit_price CHECK (order_type <> 'Limit' OR price > 0)
)
"""
RELATIONS = """
CREATE TABLE {schema}.signal_order_relationships (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    signal_id uuid NOT NULL,
    order_id uuid NOT NULL REFERENCES {schema}.orders (id) ON DELETE CASCADE,
    relationship_type varchar(20) NOT NULL
        CHECK (relationship_type IN ('one_to_one', 'one_to_many', 'many_to_one')),
    execution_sequence int CHECK (execution_sequence >= 1),
    allocation_amount decimal(20, 8) CHECK (allocation_amount > 0),
    allocation_quantity decimal(20, 8) CHECK (allocation_quantity > 0),
    created_at timestamp NOT NULL DEFAULT now(),
    UNIQUE (signal_id, order_id)
)
"""
POSITIONS = """
CREATE TABLE {schema}.positions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    asset varchar(20) NOT NULL,
    size decimal(20, 8) NOT NULL,
    average_entry_price decimal(20, 8) CHECK (average_entry_price > 0),
    unrealized_pnl decimal(20, 8),
    realized_pnl decimal(20, 8),
    mode varchar(20) NOT NULL DEFAULT 'one-way' CHECK (mode IN ('one-way', 'hedge')),
    long_size decimal(20, 8),
    short_size decimal(20, 8),
    long_avg_price decimal(20, 8) CHECK (long_avg_price > 0),
    short_avg_price decimal(20, 8) CHECK (short_avg_price > 0),
    last_updated timestamp NOT NULL DEFAULT now(),
    last_snapshot_at timestamp,
    current_price decimal(20, 8),
    version int NOT NULL DEFAULT 1,
    created_at timestamp,
    closed_at timestamp,
    UNIQUE (asset, mode)
)
"""
SNAPSHOTS = """
CREATE TABLE {schema}.position_snapshots (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    position_id uuid NOT NULL REFERENCES {schema}.positions (id) ON DELETE CASCADE,
    asset varchar(20) NOT NULL,
    size decimal(20, 8) NOT NULL,
    average_entry_price decimal(20, 8) CHECK (average_entry_price > 0),
    unrealized_pnl decimal(20, 8),
    realized_pnl decimal(20, 8),
    mode varchar(20) NOT NULL CHECK (mode IN ('one-way', 'hedge')),
    long_size decimal(20, 8),
    short_size decimal(20, 8),
    snapshot_timestamp timestamp NOT NULL DEFAULT now()
)
"""
TABLES = (ORDERS, RELATIONS, POSITIONS, SNAPSHOTS)

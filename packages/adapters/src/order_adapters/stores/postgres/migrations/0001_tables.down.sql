-- Takes every row with it.

DROP TABLE events;
DROP TABLE requests;
DROP TABLE marks;
DROP TABLE trading_states;
DROP TABLE balances;
DROP TABLE position_snapshots;
DROP TABLE positions;
DROP TABLE executions;
DROP TABLE commands;
DROP TABLE orders;
DROP TABLE deliveries;
DROP TABLE signals;
DROP TABLE instruments;
DROP TABLE states_version;
DROP TABLE head;
DROP DOMAIN amount;
DROP DOMAIN word;

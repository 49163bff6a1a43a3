"""Where Cambist touches the world: venues and storage, each behind a port."""

package sockopt

import (
	"errors"
	"fmt"
	"net"
	"time"
)

// Go's own defaults, which a zero field of net.KeepAliveConfig stands for.
const (
	goIdle     = 15 * time.Second
	goInterval = 15 * time.Second
	goCount    = 9
)

// FromNet converts Go's [net.KeepAliveConfig]. In it, 0 means Go's default (15
// s, 15 s, 9) and a negative value leaves the option unchanged; in a Config, 0
// leaves it unchanged. Enable=false becomes Disabled, although net.Dialer and
// net.ListenConfig ignore a KeepAliveConfig that is not enabled.
func FromNet(k net.KeepAliveConfig) Config {
	return Config{
		Disabled: !k.Enable,
		Idle:     fromNet(k.Idle, goIdle),
		Interval: fromNet(k.Interval, goInterval),
		Count:    fromNet(k.Count, goCount),
	}
}

func fromNet[T int | time.Duration](v, goDefault T) T {
	switch {
	case v == 0:
		return goDefault
	case v < 0:
		return 0
	}
	return v
}

// ToNet converts to Go's [net.KeepAliveConfig]: a field that is unset becomes
// -1. If something cannot be converted, the rest is converted nevertheless, and
// the error says what: a negative value, which is invalid in a Config, has a
// meaning there; a user timeout has no field there; and net.Dialer and
// net.ListenConfig ignore a disabled one (TCPConn.SetKeepAliveConfig does not).
// The last two wrap [errors.ErrUnsupported].
func (c Config) ToNet() (net.KeepAliveConfig, error) {
	k := net.KeepAliveConfig{
		Enable:   !c.Disabled,
		Idle:     toNet(c.Idle),
		Interval: toNet(c.Interval),
		Count:    toNet(c.Count),
	}
	var errs []error
	if c.Idle < 0 || c.Interval < 0 || c.Count < 0 {
		errs = append(errs, fmt.Errorf("keepalive %v: negative values leave an option alone in net.KeepAliveConfig", c))
	}
	if c.UserTimeout != 0 {
		errs = append(errs, fmt.Errorf("net.KeepAliveConfig has no user timeout: %w", errors.ErrUnsupported))
	}
	if c.Disabled {
		errs = append(errs, fmt.Errorf("net.Dialer and net.ListenConfig ignore a disabled net.KeepAliveConfig: %w", errors.ErrUnsupported))
	}
	return k, named(errors.Join(errs...))
}

func toNet[T int | time.Duration](v T) T {
	if v == 0 {
		return -1
	}
	return v
}

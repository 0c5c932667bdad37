package sockopt

import (
	"errors"
	"fmt"
	"net"
	"time"
)

// Go's own defaults, which net.KeepAliveConfig means by zero.
const (
	goIdle     = 15 * time.Second
	goInterval = 15 * time.Second
	goCount    = 9
)

// FromNet converts Go's [net.KeepAliveConfig], whose zero is not ours: there 0
// means Go's default (15 s, 15 s, 9) and a negative value leaves the option
// alone, here 0 leaves it alone. Enable=false becomes Disabled, although
// net.Dialer and net.ListenConfig ignore a KeepAliveConfig that is not enabled.
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

// ToNet converts to Go's [net.KeepAliveConfig]: what is unset here becomes -1
// there. The error, which wraps [errors.ErrUnsupported], tells what does not
// carry over, and the rest is converted all the same: a negative value, which is
// no valid Config, means something there; a user timeout has no
// field there, and a disabled one is ignored by net.Dialer and
// net.ListenConfig (it works with TCPConn.SetKeepAliveConfig).
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
	return k, errors.Join(errs...)
}

func toNet[T int | time.Duration](v T) T {
	if v == 0 {
		return -1
	}
	return v
}

//go:build !linux

package enforce

import (
	"errors"
	"fmt"
	"runtime"
)

func unsupported() error {
	return named(fmt.Errorf("policies on control groups are not possible on %s: %w", runtime.GOOS, errors.ErrUnsupported))
}

// Attach returns an error that wraps [errors.ErrUnsupported].
func Attach(dir, cgroup string, p Policy) error { return unsupported() }

// Update returns an error that wraps [errors.ErrUnsupported].
func Update(dir, cgroup string, p Policy) error { return unsupported() }

// Remove returns an error that wraps [errors.ErrUnsupported].
func Remove(dir, cgroup string) error { return unsupported() }

// List returns an error that wraps [errors.ErrUnsupported].
func List(dir string) ([]Status, error) { return nil, unsupported() }

// CgroupMount returns an error that wraps [errors.ErrUnsupported].
func CgroupMount() (string, error) { return "", unsupported() }

// DefaultDir returns an error that wraps [errors.ErrUnsupported].
func DefaultDir() (string, error) { return "", unsupported() }

// Held is a policy that ends with its process.
type Held struct{}

// Hold returns an error that wraps [errors.ErrUnsupported].
func Hold(cgroup string, p Policy) (*Held, error) { return nil, unsupported() }

// Counters returns an error that wraps [errors.ErrUnsupported].
func (h *Held) Counters() (Counters, error) { return Counters{}, unsupported() }

// Close does nothing.
func (h *Held) Close() error { return nil }

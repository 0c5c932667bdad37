//go:build !linux

package netns

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

func unsupported() error {
	return fmt.Errorf("network namespaces on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}

func own() *Namespace { return &Namespace{Own: true} }

func find(string) (*Namespace, error) { return nil, unsupported() }

func ofProcess(int) (*Namespace, error) { return nil, unsupported() }

func all() ([]*Namespace, []error, error) { return nil, nil, unsupported() }

func (n *Namespace) open() (*os.File, error) {
	if n.Own {
		return nil, nil
	}
	return nil, unsupported()
}

func do(*os.File, func() error) error { return unsupported() }

func onThread(func() error) error { return unsupported() }

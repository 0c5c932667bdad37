//go:build !linux

package platform

import (
	"errors"
	"fmt"
)

func systemRetries() (Retries, error) {
	return Retries{}, fmt.Errorf("how often %s sends again is not known: %w", Current().Title, errors.ErrUnsupported)
}

func systemRetriesOf(uintptr) (Retries, error) { return systemRetries() }

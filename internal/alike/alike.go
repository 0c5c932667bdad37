// Package alike finds what somebody may have meant by a name that does not exist.
package alike

import (
	"slices"
	"strings"
)

// Nearest returns at most three of names that look like word, the closest first:
// those that contain it, then those of which at most a third is wrong. It does
// not tell cases apart.
func Nearest(word string, names []string) []string {
	type candidate struct {
		name     string
		distance int
	}
	word = strings.ToLower(word)
	var near []candidate
	for _, name := range names {
		lower := strings.ToLower(name)
		d := Distance(word, lower)
		if word != "" && strings.Contains(lower, word) {
			d = 0
		}
		if d <= max(2, len(word)/3) {
			near = append(near, candidate{name, d})
		}
	}
	slices.SortStableFunc(near, func(a, b candidate) int { return a.distance - b.distance })
	var found []string
	for _, c := range near[:min(3, len(near))] {
		found = append(found, c.name)
	}
	return found
}

// Mistyped tells whether word may be name with at most a third of its letters
// wrong, in any case.
func Mistyped(word, name string) bool {
	return Distance(strings.ToLower(word), strings.ToLower(name)) <= len(word)/3
}

// Question is "; did you mean a, b?" after an error, "" without names.
func Question(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(names, ", ") + "?"
}

// Distance is the number of bytes to insert, delete or change (Levenshtein).
func Distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			changed := diagonal
			if a[i] != b[j] {
				changed++
			}
			diagonal = row[j+1]
			row[j+1] = min(changed, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

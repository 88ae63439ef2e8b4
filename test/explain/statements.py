"""Prints the last line of each statement of a module, one a line."""
import ast
import sys

with open(sys.argv[1]) as file:
    for statement in ast.parse(file.read()).body:
        print(statement.end_lineno)

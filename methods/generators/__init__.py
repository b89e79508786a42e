"""Generators of third parties: CTGAN and TVAE of the package ctgan, and the synthesizers of the package sdv.

Licence: both packages are under the Business Source License 1.1, which limits what may be built on them; augbench
(under Apache-2.0) only calls them, and they are installed with the extra ``generators`` alone.
"""

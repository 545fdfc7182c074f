"""ModelEvaluation: TFMA's result files, read without TFMA, and what Headrace's Evaluator writes beside them."""

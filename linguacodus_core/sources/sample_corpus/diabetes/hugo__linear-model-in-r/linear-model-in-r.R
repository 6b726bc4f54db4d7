# A linear model with backward selection, in the language that was made for it.
train <- read.csv("data/train.csv")
test  <- read.csv("data/test.csv")

train$sex <- factor(train$sex)
test$sex  <- factor(test$sex)

full    <- lm(progression ~ . - id + bmi:bp + bmi:s5, data = train)
reduced <- step(full, direction = "backward", trace = 0)
print(summary(reduced))

set.seed(1)
fold <- sample(rep(1:10, length.out = nrow(train)))
rmse <- sapply(1:10, function(k) {
  fit <- lm(formula(reduced), data = train[fold != k, ])
  sqrt(mean((predict(fit, train[fold == k, ]) - train$progression[fold == k])^2))
})
cat("10-fold RMSE:", mean(rmse), "\n")

submission <- data.frame(id = test$id, progression = predict(reduced, test))
write.csv(submission, "submission.csv", row.names = FALSE)
